import {ExecutionStopped, type Durable} from '../engine/engine.ts'
import type {RehearsalClock} from './clock.ts'

/**
 * The durable engine of a rehearsal: one process that never dies, and a clock that jumps over every pause. Results go
 * through the form in which an engine would have stored them.
 */
export class RehearsedRun implements Durable {
  readonly executionId: string
  readonly recovered = false
  readonly superseded: AbortSignal = new AbortController().signal
  readonly #clock: RehearsalClock
  readonly #cancel = new AbortController()

  constructor(executionId: string, clock: RehearsalClock) {
    this.executionId = executionId
    this.#clock = clock
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal
  }

  cancel(): void {
    this.#cancel.abort(new ExecutionStopped('cancelled'))
  }

  async step<T>(_name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#check()
    const result = await work(this.cancelled)
    this.#check()
    return structuredClone(result)
  }

  pause(_name: string, milliseconds: number): Promise<void> {
    this.#check()
    this.#clock.advance(milliseconds)
    return Promise.resolve()
  }

  #check(): void {
    if (this.cancelled.aborted) throw new ExecutionStopped('cancelled')
  }
}
