import {readFileSync} from 'node:fs'
import type pg from 'pg'
import type {Accepted} from './workload.ts'

const ORDER: Readonly<Record<string, number>> = {
  pending: 0,
  running: 1,
  completed: 2,
  failed: 2,
  cancelled: 2,
  rolled_back: 3,
}

interface Row {
  id: string
  status: string
  error_message: string | null
  completed_at: Date | null
  rollback_state: string | null
}

interface Step {
  phase: string
  position: number
  name: string
  status: string
  output: string | null
}

interface Event {
  seq: number
  kind: string
  step: string | null
  body: string
}

interface Effect {
  readonly what: string
  readonly phase: string
  readonly position: number
  readonly run: string
}

/** What must hold after a storm, whatever happened in it. Answers everything that does not. */
export async function findViolations(pool: pg.Pool, ledger: string, accepted: readonly Accepted[]): Promise<string[]> {
  const effects = readEffects(ledger)
  const problems: string[] = []
  for (const entry of accepted) {
    const [id, ...others] = entry.ids
    if (id === undefined) continue
    const say = (problem: string): void => void problems.push(`${id} (${entry.wish.kind}): ${problem}`)
    if (others.length > 0) say(`its Idempotency-Key was answered with ${others.join(', ')} too`)
    const {rows} = await pool.query<Row>('select * from runtime_executions where id = $1', [id])
    const steps = await pool.query<Step>('select * from runtime_steps where execution_id = $1 order by position', [id])
    const events = await pool.query<Event>('select * from runtime_events where execution_id = $1 order by seq', [id])
    const row = rows[0]
    if (!row) {
      say('accepted, and not in the store')
      continue
    }
    checkEnd(row, entry, say)
    checkSteps(steps.rows, effects.get(id) ?? [], say)
    checkEffects(effects.get(id) ?? [], row, entry, say)
    checkRollback(steps.rows, row, entry, effects.get(id) ?? [], say)
    checkEvents(events.rows, steps.rows, row, say)
  }
  const {rows: twice} = await pool.query<{key: string}>(
    'select key from runtime_idempotency group by key having count(*) > 1',
  )
  problems.push(...twice.map(({key}) => `${key} has two executions`))
  return problems
}

type Say = (problem: string) => void

function readEffects(ledger: string): Map<string, Effect[]> {
  const effects = new Map<string, Effect[]>()
  for (const line of readFileSync(ledger, 'utf8').split('\n')) {
    const [what = '', key = '', run = ''] = line.split(' ')
    const [id = '', phase = '', position] = key.split('/')
    if (what === '') continue
    effects.set(id, [...(effects.get(id) ?? []), {what, phase, position: Number(position), run}])
  }
  return effects
}

function checkEnd(row: Row, {wish, cancelAsked, rollbackAsked}: Accepted, say: Say): void {
  if (row.completed_at === null) return say(`never ended: ${row.status}`)
  if (row.rollback_state === 'running') say('its rollback never ended')
  if (/internal error|lost/i.test(row.error_message ?? '')) say(row.error_message ?? '')
  const undone = rollbackAsked ? ['rolled_back'] : []
  const stopped = cancelAsked ? ['cancelled', ...undone] : undone
  const expected = {failing: ['rolled_back', 'failed'], stranded: ['failed']}[wish.kind as string] ?? ['completed']
  if (![...expected, ...stopped].includes(row.status)) say(`ended as ${row.status}: ${row.error_message}`)
}

function checkSteps(steps: readonly Step[], effects: readonly Effect[], say: Say): void {
  for (const {phase, position, name, status} of steps) {
    if (status === 'running' || status === 'pending') say(`step ${name} is still ${status}`)
    const has = effects.some(
      (effect) => effect.what === 'end' && effect.phase === phase && effect.position === position,
    )
    if (status === 'completed' && !has) say(`step ${name} is completed and never ran to its end`)
  }
}

/** A step may run again as long as nobody knows that it completed; once the next one began, somebody knew. */
function checkEffects(effects: readonly Effect[], row: Row, {rollbackAsked}: Accepted, say: Say): void {
  let reached = {phase: 'handler', position: 0}
  for (const {what, phase, position} of effects) {
    if (what !== 'begin') continue
    const isLater = phase === reached.phase ? position >= reached.position : phase === 'rollback'
    if (!isLater) say(`${phase} ${position} began again after ${reached.phase} ${reached.position}`)
    else reached = {phase, position}
  }
  if (row.status === 'cancelled' && !rollbackAsked && reached.phase === 'rollback')
    say('was rolled back, being cancelled')
}

function checkRollback(steps: readonly Step[], row: Row, {wish}: Accepted, effects: readonly Effect[], say: Say): void {
  const completed = steps.filter(({phase, status}) => phase === 'handler' && status === 'completed')
  const undone = steps.filter(({phase}) => phase === 'rollback')
  if (row.status === 'rolled_back' || undone.length > 0) {
    const expected = completed.toReversed().map(({name}) => `undo-${name}`)
    const found = undone.map(({name}) => name)
    if (found.join() !== expected.join()) say(`undid ${found.join()} instead of ${expected.join()}`)
    for (const {name, status} of undone) if (status !== 'completed') say(`rollback step ${name} is ${status}`)
    const ran = new Set(effects.filter(({phase}) => phase === 'rollback').map(({position}) => position))
    if (ran.size !== undone.length) say(`${ran.size} of ${undone.length} rollback steps left a trace`)
  } else if (wish.kind === 'failing' && row.status === 'failed' && completed.length > 0)
    say('failed and was not rolled back')
}

function checkEvents(events: readonly Event[], steps: readonly Step[], row: Row, say: Say): void {
  if (events.some(({seq}, index) => seq !== index + 1)) say('its events are not numbered without gaps')
  const statuses = events
    .filter(({kind}) => kind === 'status')
    .map(({body}) => (JSON.parse(body) as {status: string}).status)
  const isForward = statuses.every((status, index) => {
    const before = ORDER[statuses[index - 1] ?? 'pending'] ?? 0
    const isSame = status === (statuses[index - 1] ?? status)
    return isSame || (ORDER[status] ?? 0) > before || (before === 2 && ORDER[status] === 2)
  })
  if (!isForward) say(`its status went ${statuses.join(', ')}`)
  if (statuses.at(-1) !== row.status) say(`its last event says ${statuses.at(-1)}, the row ${row.status}`)
  const logs = events.filter(({kind}) => kind === 'log')
  for (const {phase, name, status, output} of steps) {
    const ends = logs.filter(({body}) => body === `${phase === 'handler' ? 'Handler' : 'Rollback'} ${name}: success`)
    if (status === 'completed' && ends.length !== 1) say(`the log says ${ends.length} times that ${name} completed`)
    if (status !== 'completed') continue
    for (const line of (output ?? '').trim().split('\n'))
      if (!logs.some((entry) => entry.step === name && entry.body === line)) say(`its log has no "${line}" of ${name}`)
  }
}
