import {AtomError} from '../errors.ts'

/** Aborts an exchange that makes no progress. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Starts the time anew, with another length when given. */
  extend(milliseconds?: number): void
  stop(): void
}

/**
 * A timer that aborts `signal` with a TIMEOUT error; the caller's own signal aborts it too. Its time is real, not the
 * injected clock's: it guards sockets, which know no other.
 */
export function startDeadline(milliseconds: number, what: string, parent?: AbortSignal): Deadline {
  const controller = new AbortController()
  const expire = (): void =>
    controller.abort(new AtomError('TIMEOUT', `${what} did not answer within ${milliseconds / 1000} s`))
  let current = milliseconds
  let timer = setTimeout(expire, current)
  return {
    signal: parent ? AbortSignal.any([controller.signal, parent]) : controller.signal,
    extend(next = current) {
      clearTimeout(timer)
      current = next
      timer = setTimeout(expire, current)
    },
    stop: () => clearTimeout(timer),
  }
}
