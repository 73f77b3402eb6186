import {EventEmitter, once} from 'node:events'

/** Tells readers in this process that an execution has new events, so that nobody has to poll for them. */
export class Hub {
  readonly #emitter = new EventEmitter().setMaxListeners(0)
  /** Executions that changed; a reader that looks at the count before and after misses nothing. */
  readonly #versions = new Map<string, number>()
  readonly #readers = new Map<string, number>()

  changed(executionId: string): void {
    if (this.#readers.has(executionId)) this.#versions.set(executionId, this.version(executionId) + 1)
    this.#emitter.emit(eventOf(executionId))
  }

  version(executionId: string): number {
    return this.#versions.get(executionId) ?? 0
  }

  /** Keeps count of changes until the returned function is called. */
  watch(executionId: string): () => void {
    this.#readers.set(executionId, (this.#readers.get(executionId) ?? 0) + 1)
    return () => {
      const left = (this.#readers.get(executionId) ?? 1) - 1
      if (left > 0) return void this.#readers.set(executionId, left)
      this.#readers.delete(executionId)
      this.#versions.delete(executionId)
    }
  }

  /** Resolves when the version is no longer `seen`, when `signal` aborts, or after `milliseconds`. */
  async wait(executionId: string, seen: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.version(executionId) !== seen) return
    const limit = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
    await once(this.#emitter, eventOf(executionId), {signal: limit}).catch(() => {})
  }
}

/** An emitter throws for an `error` nobody listens to, and names can come from another process. */
function eventOf(executionId: string): string {
  return `changed ${executionId}`
}
