import nock from 'nock'
import {type Clock, createHttpClient, type HttpOptions, type Target} from '@atomctl/sdk/http'
import {createRuntimeClient, type RuntimeClient} from '@atomctl/sdk/runtime'
import {
  type AtomDouble,
  type AtomDoubleOptions,
  type Behaviour,
  type FaultServer,
  reply,
  startAtomDouble,
} from '@atomctl/sdk/testing'
import {testOptions, useStage} from '../http/support.ts'
import {type PackageFields, verifiedPackage} from '../registry/support.ts'

export const URL_OF_NOCK = 'http://runtime.test'
/** How an original runtime answers discovery. */
export const ORIGINAL = reply(404, {detail: 'Not Found'})
export const STARTED = reply(200, {execution_id: 'e-1', status: 'started'})

export interface RuntimeStage {
  client(target: Target, clock?: Clock, options?: Partial<HttpOptions>): RuntimeClient
  /** A client of the runtime that nock plays. */
  ours(clock?: Clock): RuntimeClient
  /** What that runtime announces, once. */
  announce(...capabilities: string[]): void
  startDouble(options?: AtomDoubleOptions): Promise<{double: AtomDouble; runtime: RuntimeClient}>
  startServer(...script: Behaviour[]): Promise<FaultServer>
}

/** Runtimes of three kinds for the tests of the surrounding suite: the double, nock and servers that misbehave. */
export function useRuntimeStage(): RuntimeStage {
  const {start: startServer, keep} = useStage()
  const client: RuntimeStage['client'] = (target, clock = jumpingClock(), options = {}) => {
    const http = keep(createHttpClient({...testOptions(options), clock}))
    return createRuntimeClient({http, target, clock})
  }
  return {
    client,
    ours: (clock) => client({baseUrl: URL_OF_NOCK}, clock),
    announce(...capabilities) {
      nock(URL_OF_NOCK).get('/.well-known/atom').reply(200, discoveryOf(capabilities))
    },
    async startDouble(options = {}) {
      const double = keep(await startAtomDouble({stepTime: 2, ...options}))
      return {double, runtime: client({baseUrl: double.runtimeUrl})}
    },
    startServer,
  }
}

/** A runtime that announces these capabilities. */
export function announced(...capabilities: string[]): Behaviour {
  return reply(200, discoveryOf(capabilities))
}

function discoveryOf(capabilities: string[]): object {
  return {service: 'runtime', version: '1.0.0', protocol: '1', capabilities}
}

/** The id of a new execution. */
export async function start(runtime: RuntimeClient, fields: PackageFields = {}): Promise<string> {
  return (await runtime.execute(verifiedPackage(fields), {workflowId: 'demo-1.0.0'})).executionId
}

/** A clock that jumps instead of waiting, and notes how far. */
export function jumpingClock(): Clock & {slept: number[]} {
  let now = Date.UTC(2026, 0, 1)
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted()
      // Lets timers and sockets of this process have their turn.
      await new Promise((resolve) => setImmediate(resolve))
      slept.push(milliseconds)
      now += milliseconds
    },
  }
}
