import {type AtomError, isAtomError} from '@atomctl/sdk/errors'
import type {HttpOptions} from '@atomctl/sdk/http'

/** Options for tests: the clock does not wait but notes how long it should have. */
export function testOptions(overrides: Partial<HttpOptions> & {waits?: number[]} = {}): HttpOptions {
  const {waits = [], ...options} = overrides
  return {
    connectTimeout: 2000,
    requestTimeout: 2000,
    retry: {maxAttempts: 3, baseDelay: 100},
    userAgent: 'atomctl/test',
    random: () => 0,
    clock: {
      now: () => 0,
      sleep: async (milliseconds, signal) => {
        signal?.throwIfAborted()
        waits.push(milliseconds)
      },
    },
    ...options,
  }
}

/** The AtomError a promise rejects with; anything else fails the test. */
export async function failed(promise: Promise<unknown>): Promise<AtomError> {
  const error: unknown = await promise.then(
    () => new Error('expected a rejection'),
    (reason: unknown) => reason,
  )
  if (isAtomError(error)) return error
  throw error
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await failed(promise)).code
}
