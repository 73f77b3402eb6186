import {setTimeout as delay} from 'node:timers/promises'
import type pg from 'pg'
import {Chance} from '../../../../../scripts/fuzzing.ts'
import type {TestServer} from '../../../../storage/test/support/postgresql.ts'
import type {Trust} from '../packages.ts'
import {eventually} from '../waiting.ts'
import type {Fleet, Seat} from './fleet.ts'
import {findViolations} from './invariants.ts'
import {makeWish, requestOf, type Accepted} from './workload.ts'

export interface StormOptions {
  readonly fleet: Fleet
  readonly server: TestServer
  /** Straight to the server, past every proxy. */
  readonly pool: pg.Pool
  readonly trust: Trust
  readonly ledger: string
  readonly chance: Chance
  readonly executions: number
  readonly faults: number
  readonly say: (line: string) => void
}

const SETTLE_SECONDS = 150

/** Executions and faults at the same time; afterwards everything is healed, and what must hold is looked for. */
export async function storm(options: StormOptions): Promise<string[]> {
  const {fleet, server, pool, ledger, chance, executions, trust} = options
  const accepted: Accepted[] = []
  const seed = chance.below(2 ** 31)
  const submitting = Array.from({length: executions}, async (_, number) => {
    // Its own, so that what it does is the same however the others are ahead or behind.
    const luck = new Chance(seed + number)
    const wish = makeWish(luck, ledger, `storm-${seed}-${number}-${process.pid}`)
    const entry: Accepted = {wish, ids: new Set(), cancelAsked: false, rollbackAsked: false}
    const request = await requestOf(wish, trust)
    await delay(luck.below(options.faults * 700))
    accepted.push(entry)
    await submit(fleet, entry, request, luck)
  })
  await blow(options)
  await server.start()
  await fleet.heal()
  options.say('healed')
  await Promise.all(submitting)
  options.say('all are accepted')
  await eventually('every accepted execution ended', async () => isQuiet(pool, accepted), SETTLE_SECONDS).catch(
    () => {},
  )
  options.say('all ended')
  await undo(fleet, accepted)
  await eventually('every rollback ended', async () => isQuiet(pool, accepted), SETTLE_SECONDS).catch(() => {})
  return findViolations(pool, ledger, accepted)
}

/** Until some runtime says which execution it is; then again elsewhere, which must be the same. */
async function submit(fleet: Fleet, entry: Accepted, request: object, chance: Chance): Promise<void> {
  const headers = {'idempotency-key': entry.wish.key}
  const first = await ask(fleet, '/execute', request, headers, chance)
  entry.ids.add(String(first['execution_id']))
  if (entry.wish.kind === 'cancelled') {
    await delay(chance.below(600))
    entry.cancelAsked = true
    await ask(fleet, `/execute/${String(first['execution_id'])}/cancel`, {}, {}, chance)
  }
  const second = await ask(fleet, '/execute', request, headers, chance)
  entry.ids.add(String(second['execution_id']))
}

async function undo(fleet: Fleet, accepted: readonly Accepted[]): Promise<void> {
  for (const entry of accepted.filter(({wish}) => wish.kind === 'undone')) {
    entry.rollbackAsked = true
    const [id] = entry.ids
    await ask(fleet, `/rollback/${id}`, {}, {}, undefined)
  }
}

/** An answer that is final: not a lost connection, nor a service that is out of reach of its database. */
async function ask(
  fleet: Fleet,
  path: string,
  body: object,
  headers: Record<string, string>,
  chance: Chance | undefined,
): Promise<Record<string, unknown>> {
  for (;;) {
    const {up} = fleet
    const seat = chance && up.length > 0 ? chance.pick(up) : up[0]
    try {
      const response = await fetch(seat?.process?.url + path, {
        method: 'POST',
        headers: {'content-type': 'application/json', ...headers},
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(20_000),
      })
      if (response.status < 500) return (await response.json()) as Record<string, unknown>
    } catch {
      // A client that lost its server asks again, with the same key.
    }
    await delay(50)
  }
}

async function isQuiet(pool: pg.Pool, accepted: readonly Accepted[]): Promise<boolean> {
  const ids = accepted.flatMap(({ids: all}) => [...all])
  const {rows} = await pool.query(
    `select 1 from runtime_executions where id = any($1) and (completed_at is null or rollback_state = 'running') limit 1`,
    [ids],
  )
  return rows.length === 0
}

type Fault = (options: StormOptions, seat: Seat, chance: Chance) => Promise<void>

/** Each leaves things as it found them, save for a process that is another one. */
const FAULTS: readonly (readonly [string, Fault])[] = [
  ['kill -9 of a runtime', (_options, seat) => restart(seat, 'SIGKILL')],
  ['restart of a runtime', (_options, seat) => restart(seat, 'SIGTERM')],
  ['kill -9 at a statement', killAtStatement],
  ['a runtime sleeps', sleepFor],
  ['network cut', (_options, seat, chance) => lose(seat, chance, () => seat.proxy.cut())],
  ['network swallows', (_options, seat, chance) => lose(seat, chance, () => seat.proxy.stall())],
  ['network half closed', async (_options, seat) => seat.proxy.halfClose()],
  ['kill -9 of PostgreSQL', ({server}, _seat, chance) => bounce(server, 'SIGKILL', chance)],
  ['restart of PostgreSQL', ({server}, _seat, chance) => bounce(server, 'SIGINT', chance)],
]

async function blow(options: StormOptions): Promise<void> {
  const {fleet, chance, faults, say} = options
  for (let number = 0; number < faults; number += 1) {
    const [name, fault] = chance.pick(FAULTS)
    const seat = chance.pick(fleet.seats)
    await delay(chance.below(800))
    say(`${name} (${fleet.seats.indexOf(seat)})`)
    await fault(options, seat, chance)
  }
}

async function restart(seat: Seat, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  await seat.kill(signal)
  await seat.start()
}

/** At any statement that it sends to the database: before it arrives, or before its answer does. */
async function killAtStatement(_options: StormOptions, seat: Seat, chance: Chance): Promise<void> {
  const fatal = 1 + chance.below(60)
  const {promise, resolve} = Promise.withResolvers<void>()
  seat.proxy.count((sent) => {
    if (sent < fatal) return
    seat.process?.signal('SIGKILL')
    resolve()
  })
  await Promise.race([promise, delay(5_000)])
  seat.proxy.count(undefined)
  await restart(seat, 'SIGKILL')
}

async function sleepFor(_options: StormOptions, seat: Seat, chance: Chance): Promise<void> {
  seat.freeze()
  await delay(200 + chance.below(7_000))
  seat.thaw()
}

async function lose(seat: Seat, chance: Chance, fault: () => void): Promise<void> {
  fault()
  await delay(100 + chance.below(6_000))
  seat.proxy.heal()
}

async function bounce(server: TestServer, signal: 'SIGKILL' | 'SIGINT', chance: Chance): Promise<void> {
  await server.kill(signal)
  await delay(chance.below(1_500))
  await server.start()
}
