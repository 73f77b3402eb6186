import {ExecutionStopped} from './engine.ts'

/** How many executions run at the same time; the others wait their turn in order, still `pending`. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Throws ExecutionStopped when `signal` aborts first. */
  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(signal)
    try {
      return await work()
    } finally {
      this.#give()
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new ExecutionStopped('cancelled')
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    const {promise, resolve, reject} = Promise.withResolvers<void>()
    const stop = (): void => {
      const place = this.#waiting.indexOf(resolve)
      if (place >= 0) this.#waiting.splice(place, 1)
      reject(new ExecutionStopped('cancelled'))
    }
    signal.addEventListener('abort', stop, {once: true})
    this.#waiting.push(resolve)
    await promise
    signal.removeEventListener('abort', stop)
  }

  #give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }
}
