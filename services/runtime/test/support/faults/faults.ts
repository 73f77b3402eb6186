import {setTimeout as delay} from 'node:timers/promises'
import type {Chance} from '../../../../../scripts/fuzzing.ts'
import type {TestServer} from '../../../../storage/test/support/postgresql.ts'
import type {Seat} from './fleet.ts'
import type {NetworkProxy} from './proxy.ts'

export interface Surroundings {
  readonly seat: Seat
  readonly chance: Chance
}

/** Something that goes wrong, for a while: it leaves things as it found them, save for a process that is another one. */
export interface Fault {
  readonly name: string
  happen(around: Surroundings): Promise<void>
}

const OF_RUNTIMES: readonly Fault[] = [
  {name: 'kill -9 of a runtime', happen: ({seat}) => seat.restart('SIGKILL')},
  {name: 'restart of a runtime', happen: ({seat}) => seat.restart('SIGTERM')},
  {name: 'a runtime sleeps', happen: sleep},
]

const OF_NETWORKS: readonly Fault[] = [
  {name: 'kill -9 at a statement', happen: killAtStatement},
  {name: 'network cut', happen: (around) => lose(around, (proxy) => proxy.cut())},
  {name: 'network swallows', happen: (around) => lose(around, (proxy) => proxy.stall())},
  {name: 'network half closed', happen: async ({seat}) => seat.proxy?.halfClose()},
]

export function faultsFor(server: TestServer | undefined): readonly Fault[] {
  if (!server) return OF_RUNTIMES
  return [
    ...OF_RUNTIMES,
    ...OF_NETWORKS,
    {name: 'kill -9 of PostgreSQL', happen: ({chance}) => bounce(server, 'SIGKILL', chance)},
    {name: 'restart of PostgreSQL', happen: ({chance}) => bounce(server, 'SIGINT', chance)},
  ]
}

/** Sometimes for longer than its lease: then it wakes up to find that others carry on what it ran. */
async function sleep({seat, chance}: Surroundings): Promise<void> {
  seat.freeze()
  await delay(200 + chance.below(11_000))
  seat.thaw()
}

/** At any statement that it sends to the database: the statement still arrives, its answer does not. */
async function killAtStatement({seat, chance}: Surroundings): Promise<void> {
  const fatal = 1 + chance.below(60)
  const {promise, resolve} = Promise.withResolvers<void>()
  seat.proxy?.count((sent) => {
    if (sent < fatal) return
    seat.process?.signal('SIGKILL')
    resolve()
  })
  await Promise.race([promise, delay(5_000)])
  seat.proxy?.count(undefined)
  await seat.restart('SIGKILL')
}

async function lose({seat, chance}: Surroundings, fault: (proxy: NetworkProxy) => void): Promise<void> {
  if (seat.proxy) fault(seat.proxy)
  await delay(100 + chance.below(6_000))
  seat.proxy?.heal()
}

async function bounce(server: TestServer, signal: 'SIGKILL' | 'SIGINT', chance: Chance): Promise<void> {
  await server.kill(signal)
  await delay(chance.below(1_500))
  await server.start()
}
