import nock from 'nock'
import * as z from 'zod'
import {type AtomError, isAtomError} from '@atomctl/sdk/errors'
import {createHttpClient, type HttpClient, type HttpOptions, type RequestBody} from '@atomctl/sdk/http'
import {type Behaviour, type FaultServer, reply, startFaultServer} from '@atomctl/sdk/testing'

export const OK = reply(200, {ok: true})
export const schema = z.looseObject({ok: z.boolean()})

export interface Stage {
  start(...script: Behaviour[]): Promise<FaultServer>
  client(options?: Parameters<typeof testOptions>[0]): HttpClient
  /** Closed with the rest after the test. */
  keep<T extends {close(): Promise<void>}>(one: T): T
}

/** Servers and clients for the tests of the surrounding suite, closed after each; nock is left clean. */
export function useStage(): Stage {
  const closing: {close(): Promise<void>}[] = []
  const keep: Stage['keep'] = (one) => {
    closing.push(one)
    return one
  }
  afterEach(async () => {
    // The latest first: clients before their servers.
    for (const one of closing.splice(0).toReversed()) await one.close()
    const pending = nock.pendingMocks()
    nock.cleanAll()
    if (pending.length > 0) throw new Error(`not asked for: ${pending.join(', ')}`)
  })
  return {
    start: async (...script) => keep(await startFaultServer(...script)),
    client: (options = {}) => keep(createHttpClient(testOptions(options))),
    keep,
  }
}

/** Options for tests: the clock does not wait but notes how long it should have. */
export function testOptions(overrides: Partial<HttpOptions> & {waits?: number[]} = {}): HttpOptions {
  const {waits = [], ...options} = overrides
  return {
    // Long: a busy machine must not look like a service that does not answer.
    connectTimeout: 15_000,
    requestTimeout: 15_000,
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

/** A JSON body of a request. */
export function json(text: string): RequestBody {
  const bytes = Buffer.from(text)
  return {contentType: 'application/json', length: bytes.length, open: () => bytes}
}
