import {AtomError, isAtomError} from '../errors.ts'
import type {Clock} from '../http/index.ts'

const LONGEST_OUTAGE = 60_000
const MOST_NOT_FOUND = 5

/** What may be over in a moment. */
const PASSING: ReadonlySet<string> = new Set(['UNAVAILABLE', 'TIMEOUT', 'STORAGE_FULL'])

/**
 * How long a waiting client puts up with a runtime that fails: a minute without an answer, or five times "not found" in
 * a row, because several replicas of the original each know only their own executions (protocol section 7).
 */
export class Patience {
  readonly #clock: Clock
  readonly #executionId: string
  #failingSince: number | undefined
  #notFound = 0

  constructor(clock: Clock, executionId: string) {
    this.#clock = clock
    this.#executionId = executionId
  }

  /** The runtime answered. */
  renew(): void {
    this.#failingSince = undefined
    this.#notFound = 0
  }

  /** Throws when the error is not one to wait for, or has lasted too long. */
  spend(error: unknown): void {
    if (!isAtomError(error)) throw error
    if (error.code === 'NOT_FOUND') return this.#spendNotFound(error)
    if (!PASSING.has(error.code)) throw error
    this.#failingSince ??= this.#clock.now()
    if (this.#clock.now() - this.#failingSince >= LONGEST_OUTAGE) throw error
  }

  #spendNotFound(cause: AtomError): void {
    if (++this.#notFound < MOST_NOT_FOUND) return
    throw new AtomError('NOT_FOUND', `The runtime does not know execution ${this.#executionId}`, {
      hint: 'an original runtime forgets its executions when it restarts',
      details: {...cause.details, execution_id: this.#executionId},
      cause,
    })
  }
}
