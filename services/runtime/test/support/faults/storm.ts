import {setTimeout as delay} from 'node:timers/promises'
import {Chance} from '../../../../../scripts/fuzzing.ts'
import type {TestServer} from '../../../../storage/test/support/postgresql.ts'
import type {Trust} from '../packages.ts'
import {eventually} from '../waiting.ts'
import {PatientClient} from './client.ts'
import {faultsFor, type Surroundings} from './faults.ts'
import type {Fleet} from './fleet.ts'
import {makeWish, type Accepted} from './workload.ts'

export interface StormOptions {
  readonly fleet: Fleet
  /** Absent: the runtime has an embedded database. */
  readonly server?: TestServer
  readonly trust: Trust
  /** The file to which every step writes. */
  readonly ledger: string
  readonly chance: Chance
  readonly executions: number
  readonly faults: number
  say(line: string): void
}

/** An answer comes late on a busy machine; an execution that was lost never comes to its end. */
const SETTLE_SECONDS = 120

/** Executions and faults at the same time; then everything is healed. Answers what was accepted, once all of it ended. */
export async function storm(options: StormOptions): Promise<Accepted[]> {
  const {fleet, server, chance, executions} = options
  const seed = chance.below(2 ** 31)
  const accepted: Accepted[] = []
  const submitting = Array.from({length: executions}, async (_, number) => {
    // Its own, so that what it does is the same however the others are ahead or behind.
    await submit(options, new Chance(seed + number), `storm-${seed}-${number}-${process.pid}`, accepted)
  })
  await blow(options)
  await server?.start()
  await fleet.heal()
  await Promise.all(submitting)
  const client = new PatientClient(fleet)
  await settle(client, accepted)
  for (const entry of accepted.filter(({wish}) => wish.kind === 'undone')) {
    entry.rollbackAsked = true
    await client.post(`/rollback/${[...entry.ids][0]}`, {})
  }
  await settle(client, accepted)
  return accepted
}

/** Until some runtime says which execution it is; then again elsewhere, which must be the same. */
async function submit({fleet, trust, ledger, faults}: StormOptions, luck: Chance, key: string, accepted: Accepted[]) {
  const wish = makeWish(luck, ledger, key)
  const request = {workflow_id: 'test-package-1.0.0', wpk_content: await trust.sign(wish.shape)}
  const client = new PatientClient(fleet, luck)
  const entry: Accepted = {wish, ids: new Set(), cancelAsked: false, rollbackAsked: false}
  const send = async (): Promise<string> => {
    const {execution_id: id} = await client.post('/execute', request, {'idempotency-key': key})
    entry.ids.add(String(id))
    return String(id)
  }
  await delay(luck.below(faults * 2_500))
  const id = await send()
  accepted.push(entry)
  if (wish.kind === 'cancelled') {
    await delay(luck.below(600))
    entry.cancelAsked = true
    await client.post(`/execute/${id}/cancel`, {})
  }
  await send()
}

/** Those that never end are found afterwards, with everything else that is wrong. */
async function settle(client: PatientClient, accepted: readonly Accepted[]): Promise<void> {
  const open = new Set(accepted.flatMap(({ids}) => [...ids]))
  const isQuiet = async (): Promise<boolean> => {
    for (const id of open) {
      const {completed_at: completed, rollback} = await client.get(`/execute/${id}`)
      if (!completed || (rollback as {status?: string} | undefined)?.status === 'running') return false
      open.delete(id)
    }
    return true
  }
  await eventually('everything ended', isQuiet, SETTLE_SECONDS).catch(() => {})
}

async function blow({fleet, server, chance, faults, say}: StormOptions): Promise<void> {
  const known = faultsFor(server)
  for (let number = 0; number < faults; number += 1) {
    const {name, happen} = chance.pick(known)
    const seat = chance.pick(fleet.seats)
    await delay(chance.below(800))
    say(`${name} (${fleet.seats.indexOf(seat)})`)
    const around: Surroundings = {seat, chance}
    await happen(around)
  }
}
