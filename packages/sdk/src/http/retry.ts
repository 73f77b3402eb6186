import type {Failure} from './failure.ts'
import type {RetryOptions} from './options.ts'

/** The longest a client waits because a service asks it to; beyond it the reader should decide. */
export const LONGEST_RETRY_AFTER = 30_000
const LONGEST_BACKOFF = 10_000

/** Milliseconds named by a Retry-After header, a number of seconds or a date (RFC 9110 section 10.2.3). */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/**
 * Milliseconds to wait before the next attempt, undefined when there should be none: exponential backoff with
 * jitter over its upper half, or what the service asked for.
 */
export function delayBefore(
  nextAttempt: number,
  failure: Failure,
  {maxAttempts, baseDelay}: RetryOptions,
  random: () => number,
): number | undefined {
  // An unexplained 500 may be permanent (protocol section 7): one more try is enough to tell.
  const allowed = failure.status === 500 ? Math.min(2, maxAttempts) : maxAttempts
  if (!failure.retryable || nextAttempt > allowed) return undefined
  if (failure.retryAfter !== undefined && failure.retryAfter > LONGEST_RETRY_AFTER) return undefined
  const ceiling = Math.min(LONGEST_BACKOFF, baseDelay * 2 ** (nextAttempt - 2))
  return Math.max(failure.retryAfter ?? 0, Math.round(ceiling * (0.5 + random() / 2)))
}

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/** Statuses after which an idempotent request may be sent again. */
export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUSES.has(status)
}
