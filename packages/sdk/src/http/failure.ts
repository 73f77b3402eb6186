import {AtomError, isAtomError} from '../errors.ts'
import {type Explanation, explain, type Place} from './network-errors.ts'

/** A failed attempt and whether sending it once more may help. */
export class Failure extends Error {
  readonly error: AtomError
  readonly retryable: boolean
  /** Milliseconds the service asked to wait. */
  readonly retryAfter: number | undefined
  readonly status: number | undefined

  constructor(
    error: AtomError,
    retryable: boolean,
    {retryAfter, status}: {retryAfter?: number | undefined; status?: number} = {},
  ) {
    super(error.message, {cause: error})
    this.error = error
    this.retryable = retryable
    this.retryAfter = retryAfter
    this.status = status
  }
}

/** What a failure below HTTP means to the reader, and whether to try again. */
export function failureOf(error: unknown, place: Place): Failure {
  if (error instanceof Failure) return error
  if (isAtomError(error)) return new Failure(error, false)
  if (error instanceof DOMException && error.name === 'NotReadableError') return fileChanged(error)
  const reason = codeOf(error)
  const {code, message, retryable, hint}: Explanation = explain(reason, place)
  const details = {origin: place.origin, reason}
  return new Failure(new AtomError(code, `Network error: ${message}`, {hint, details, cause: error}), retryable)
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const {code, cause, errors} = error as Error & {code?: unknown; errors?: unknown[]}
  if (typeof code === 'string') return code
  // An address tried over IPv6 and IPv4 fails with one error that holds both.
  if (errors?.[0] !== undefined) return codeOf(errors[0])
  return cause instanceof Error ? codeOf(cause) : error.name
}

function fileChanged(cause: Error): Failure {
  return new Failure(new AtomError('INPUT_UNREADABLE', 'The file changed while it was being uploaded', {cause}), false)
}

/** What an aborted signal means: the reason when it is one of ours, else an interruption or a timeout. */
export function abortError(signal: AbortSignal): AtomError {
  const reason: unknown = signal.reason
  if (isAtomError(reason)) return reason
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new AtomError('TIMEOUT', 'The operation took longer than it was given', {cause: reason})
  }
  return new AtomError('INTERRUPTED', 'Interrupted', {cause: reason})
}
