import {DBOS, Error as DBOSErrors} from '@dbos-inc/dbos-sdk'
import {ExecutionStopped, type Durable} from './engine.ts'
import {waitFor} from './timing.ts'

/** How the engine stops: first nothing new begins, then what still works is cut off and leaves no record. */
export interface Halt {
  readonly draining: AbortSignal
  readonly abandoned: AbortSignal
  /** Handlers at work. */
  readonly working: Set<Promise<unknown>>
}

export interface RunOptions {
  readonly executionId: string
  readonly recovered: boolean
  readonly halt: Halt
  /** Other processes may cancel this execution, which only the database can tell. */
  readonly hasPeers: boolean
}

/** One execution inside a DBOS workflow. */
export class DbosRun implements Durable {
  readonly executionId: string
  readonly recovered: boolean
  /** Resolves when this process will do nothing more for the execution. */
  readonly settled: Promise<void>
  readonly settle: () => void
  readonly #halt: Halt
  readonly #hasPeers: boolean
  readonly #cancel = new AbortController()

  constructor({executionId, recovered, halt, hasPeers}: RunOptions) {
    this.executionId = executionId
    this.recovered = recovered
    this.#halt = halt
    this.#hasPeers = hasPeers
    const {promise, resolve} = Promise.withResolvers<void>()
    this.settled = promise
    this.settle = resolve
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal
  }

  cancel(): void {
    this.#cancel.abort(new ExecutionStopped('cancelled'))
  }

  async step<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#halt.draining.aborted) return this.park()
    try {
      const result = await DBOS.runStep(() => this.#work(work), {name})
      if (!this.cancelled.aborted) return result
    } catch (error) {
      if (this.#halt.abandoned.aborted) return this.park()
      throw await this.#stopOf(error)
    }
    throw new ExecutionStopped('cancelled')
  }

  async pause(name: string, milliseconds: number): Promise<void> {
    const until = await this.step(name, () => Promise.resolve(Date.now() + milliseconds))
    const signal = AbortSignal.any([this.cancelled, this.#halt.draining])
    while (Date.now() < until && !signal.aborted) await waitFor(until - Date.now(), signal)
    if (this.cancelled.aborted) throw new ExecutionStopped('cancelled')
    if (this.#halt.draining.aborted) return this.park()
  }

  /** Never returns: the process is going, and the next one takes the execution up where its records end. */
  park(): Promise<never> {
    this.settle()
    return new Promise<never>(() => {})
  }

  async #work<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const elsewhere = this.#hasPeers ? DBOS.stepStatus?.cancelSignal : undefined
    const signals = [this.cancelled, this.#halt.abandoned, ...(elsewhere ? [elsewhere] : [])]
    const working = work(AbortSignal.any(signals))
    this.#halt.working.add(working)
    try {
      return await working
    } finally {
      this.#halt.working.delete(working)
      // A step that was cut off by a shutdown must leave no record, or it would not run again.
      if (this.#halt.abandoned.aborted) await this.park()
    }
  }

  /** A cancel takes the execution away from its run, so DBOS may call it a conflict as well. */
  async #stopOf(error: unknown): Promise<unknown> {
    const isConflict = error instanceof DBOSErrors.DBOSWorkflowConflictError
    if (!isConflict && !(error instanceof DBOSErrors.DBOSWorkflowCancelledError)) return error
    if (!isConflict || this.cancelled.aborted) return new ExecutionStopped('cancelled', error)
    const status = await DBOS.getWorkflowStatus(this.executionId)
    return new ExecutionStopped(status?.status === 'CANCELLED' ? 'cancelled' : 'superseded', error)
  }
}
