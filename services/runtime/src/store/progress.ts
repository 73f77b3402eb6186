import type {Approval, ExecutionStatus, RollbackState} from '@atomctl/protocol/runtime'
import type {Transaction} from 'kysely'
import type {HandlerSpec} from '../program.ts'
import type {Identity} from '../identity.ts'
import type {Closing, Finished, Phase, Progress} from '../progress.ts'
import {refuse} from '../refusal.ts'
import {RUNTIME, writeAudit, type NewAudit} from './audit.ts'
import {findRetry, insertSteps, newStep, UNFINISHED} from './executions.ts'
import type {NewEvent, Recorder} from './recorder.ts'
import {storable, type ExecutionRow, type RuntimeTables, type StepRow, type StoredRollback} from './tables.ts'
import {approvalView, executionView, stepView} from './views.ts'

type Change = Transaction<RuntimeTables>
type Outcome = Pick<ExecutionRow, 'status' | 'error_message'> &
  Partial<Pick<ExecutionRow, 'error_code' | 'approval_state' | 'approval' | 'rollback_state' | 'rollback'>>

interface Ending {
  /** The execution, when this is what ended it. */
  readonly ended: ExecutionRow | undefined
  readonly events: NewEvent[]
}

const NOT_ENDED: Ending = {ended: undefined, events: []}

/**
 * Progress in the database. Every update names the state it moves on from, so a status only moves forward, and an
 * interpreter that replays after a crash changes nothing and tells nobody a second time.
 */
export class StoredProgress implements Progress {
  readonly #recorder: Recorder
  readonly #id: string
  readonly #onEnded: (row: ExecutionRow) => Promise<void>

  /** `onEnded` is called once, by whoever of several brings the execution to its end. */
  constructor(recorder: Recorder, executionId: string, onEnded: (row: ExecutionRow) => Promise<void>) {
    this.#recorder = recorder
    this.#id = executionId
    this.#onEnded = onEnded
  }

  log(step: string | null, stream: 'stdout' | 'stderr' | 'system', text: string): void {
    this.#recorder.log(step, stream, text)
  }

  async flush(): Promise<void> {
    await this.#recorder.flush()
  }

  async begin(): Promise<void> {
    await this.#recorder.change(async (change) => {
      const row = await change
        .updateTable('runtime_executions')
        .set({status: 'running', started_at: new Date()})
        .where('id', '=', this.#id)
        .where('status', '=', 'pending')
        .returningAll()
        .executeTakeFirst()
      return row ? [statusEvent(executionView(row))] : []
    })
  }

  async plan(phase: Phase, handlers: readonly HandlerSpec[], line: string): Promise<void> {
    const rows = handlers.map((handler, position) => newStep(this.#id, phase, position, handler))
    if (rows.length === 0) return
    await this.#recorder.change(async (change) => {
      return (await insertSteps(change, rows)) > 0 ? [lineEvent(line)] : []
    })
  }

  async startStep(phase: Phase, position: number, attempt: number): Promise<void> {
    await this.#recorder.change(async (change) => {
      const row = await this.#step(change, phase, position)
        .set((set) => ({status: 'running', attempt, started_at: set.fn.coalesce('started_at', set.val(new Date()))}))
        .where('status', 'in', ['pending', 'running'])
        .where('attempt', '<', attempt)
        .returningAll()
        .executeTakeFirst()
      if (!row) return []
      if (phase === 'handler') await this.#current(change, row.name, position)
      return [stepEvent(row)]
    })
  }

  async finishStep(phase: Phase, position: number, finished: Finished, line?: string): Promise<void> {
    await this.#recorder.change(async (change) => {
      const row = await this.#step(change, phase, position)
        .set({...storedResult(finished), completed_at: new Date()})
        .where('status', 'in', ['pending', 'running'])
        .returningAll()
        .executeTakeFirst()
      if (!row) return []
      if (phase === 'handler' && finished.status !== 'failed') await this.#current(change, row.name, position + 1)
      return [...(line === undefined ? [] : [lineEvent(line)]), stepEvent(row)]
    })
  }

  async finish(
    status: ExecutionStatus,
    message: string | null,
    {line, rollback, code}: Closing = {},
  ): Promise<boolean> {
    const undone = rollback && {rollback_state: rollback, rollback: JSON.stringify(ownRollback(rollback))}
    const outcome = {status, error_message: text(message), error_code: code ?? null, ...undone}
    return this.#finish((change) => this.#end(change, outcome, line))
  }

  /** Ends an execution that waits for an approval nobody gave in time; false when it no longer waits. */
  async expire(now: Date): Promise<boolean> {
    return this.#finish(async (change) => {
      const row = await lockExecution(change, this.#id)
      const isDue = row && isWaiting(row) && row.approval_expires_at !== null && row.approval_expires_at <= now
      if (!isDue) return NOT_ENDED
      const message = `Nobody approved it before ${row.approval_expires_at?.toISOString()}`
      await writeAudit(change, row.id, {by: RUNTIME, action: 'expired'})
      const approval = JSON.stringify({...approvalView(row), state: 'expired'})
      return this.#end(
        change,
        {status: 'rejected', error_message: message, approval_state: 'expired', approval},
        message,
      )
    })
  }

  /**
   * Writes what somebody decided about an execution that waits. `decide` sees the execution locked, may refuse by
   * throwing, and answers the approval as it is then. A rejection ends the execution.
   */
  async decide(audit: NewAudit, line: string, decide: (row: ExecutionRow) => Approval): Promise<ExecutionRow> {
    let decided: ExecutionRow | undefined
    await this.#finish(async (change) => {
      const row = await lockExecution(change, this.#id)
      if (!row) return NOT_ENDED
      const approval = decide(row)
      await writeAudit(change, row.id, audit)
      const set = {approval_state: approval.state, approval: JSON.stringify(approval)}
      if (approval.state !== 'rejected') {
        decided = await this.#execution(change).set(set).returningAll().executeTakeFirst()
        return {ended: undefined, events: decided ? [lineEvent(line), statusEvent(executionView(decided))] : []}
      }
      const ending = await this.#end(change, {...set, status: 'rejected', error_message: text(line)}, line)
      decided = ending.ended
      return ending
    })
    if (!decided) throw new Error(`execution ${this.#id} is gone`)
    return decided
  }

  /**
   * Notes that somebody wants the execution undone. `plan` sees it locked with its steps, may refuse by throwing, and
   * answers what will run; what an earlier try completed stays completed.
   */
  async beginRollback(
    by: Identity,
    plan: (row: ExecutionRow, steps: StepRow[]) => HandlerSpec[],
  ): Promise<StoredRollback> {
    let rollback: StoredRollback | undefined
    await this.#recorder.change(async (change) => {
      const row = await lockExecution(change, this.#id)
      if (!row) return []
      const later = await findRetry(change, row.id)
      if (later !== undefined)
        throw refuse(409, 'CONFLICT', `${later} carried it on and has its completed steps`, `atomctl rollback ${later}`)
      const steps = await change.selectFrom('runtime_steps').selectAll().where('execution_id', '=', row.id).execute()
      const rows = plan(row, steps).map((handler, position) => newStep(row.id, 'rollback', position, handler))
      rollback = nextRollback(row, by.name)
      await this.#resetRollback(change)
      await insertSteps(change, rows)
      await writeAudit(change, row.id, {by, action: 'rollback_requested'})
      const set = {rollback_state: rollback.status, rollback: JSON.stringify(rollback)}
      const updated = await this.#execution(change).set(set).returningAll().executeTakeFirstOrThrow()
      return [lineEvent('Starting rollback...'), statusEvent(executionView(updated))]
    })
    if (!rollback) throw new Error(`execution ${this.#id} is gone`)
    return rollback
  }

  /** Ends a rollback on demand; `problem` says what could not be undone. */
  async finishRollback(problem: string | null): Promise<void> {
    await this.#recorder.change(async (change) => {
      const row = await lockExecution(change, this.#id)
      if (row?.rollback_state !== 'running' || row.rollback === null) return []
      const outcome = rollbackOutcome(row, row.rollback, problem)
      const updated = await this.#execution(change).set(outcome).returningAll().executeTakeFirstOrThrow()
      const line = problem === null ? 'Rollback completed' : `Rollback failed: ${problem}`
      return [lineEvent(line), ...(await this.#closeSteps(change, 'failed')), statusEvent(executionView(updated))]
    })
  }

  async #resetRollback(change: Change): Promise<void> {
    const blank = {started_at: null, completed_at: null, error: null, output: null, attempt: 0}
    await change
      .updateTable('runtime_steps')
      .set({...blank, status: 'pending'})
      .where('execution_id', '=', this.#id)
      .where('phase', '=', 'rollback')
      .where('status', '!=', 'completed')
      .execute()
  }

  /** Resolves after the transaction, and after whoever must know heard that the execution ended. */
  async #finish(work: (change: Change) => Promise<Ending>): Promise<boolean> {
    let ended: ExecutionRow | undefined
    await this.#recorder.change(async (change) => {
      const ending = await work(change)
      ended = ending.ended
      return ending.events
    })
    if (ended) await this.#onEnded(ended)
    return ended !== undefined
  }

  async #end(change: Change, set: Outcome, line?: string): Promise<Ending> {
    const ended = await this.#execution(change)
      .set({...set, completed_at: new Date()})
      .where('status', 'in', UNFINISHED)
      .returningAll()
      .executeTakeFirst()
    if (!ended) return NOT_ENDED
    const lines = line === undefined ? [] : [lineEvent(line)]
    return {
      ended,
      events: [...lines, ...(await this.#closeSteps(change, set.status)), statusEvent(executionView(ended))],
    }
  }

  #execution(change: Change) {
    return change.updateTable('runtime_executions').where('id', '=', this.#id)
  }

  async #closeSteps(change: Change, status: ExecutionStatus): Promise<NewEvent[]> {
    const stopped = status === 'cancelled' ? 'cancelled' : 'failed'
    const close = (from: 'running' | 'pending', to: StepRow['status']): Promise<StepRow[]> =>
      change
        .updateTable('runtime_steps')
        .set({status: to, completed_at: new Date()})
        .where('execution_id', '=', this.#id)
        .where('status', '=', from)
        .returningAll()
        .execute()
    return [...(await close('running', stopped)), ...(await close('pending', 'skipped'))].map(stepEvent)
  }

  #step(change: Change, phase: Phase, position: number) {
    return change
      .updateTable('runtime_steps')
      .where('execution_id', '=', this.#id)
      .where('phase', '=', phase)
      .where('position', '=', position)
  }

  async #current(change: Change, name: string, completed: number): Promise<void> {
    await change
      .updateTable('runtime_executions')
      .set({current_step: name, steps_completed: completed})
      .where('id', '=', this.#id)
      .where('steps_completed', '<=', completed)
      .execute()
  }
}

export function isWaiting({status, approval_state: state, cancel_requested: isCancelled}: ExecutionRow): boolean {
  return status === 'pending' && state === 'waiting' && !isCancelled
}

/** Whoever else wants to change the execution waits until this transaction is over. */
export async function lockExecution(change: Change, id: string): Promise<ExecutionRow | undefined> {
  return change.selectFrom('runtime_executions').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

function storedResult({outputs, ...finished}: Finished) {
  return {
    ...finished,
    error: text(finished.error),
    output: text(finished.output),
    outputs: outputs === undefined ? null : text(JSON.stringify(outputs)),
  }
}

function nextRollback(row: ExecutionRow, name: string): StoredRollback {
  const earlier = row.rollback === null ? 0 : (JSON.parse(row.rollback) as StoredRollback).attempt
  const now = new Date().toISOString()
  return {status: 'running', requested_by: name, started_at: now, completed_at: null, attempt: earlier + 1}
}

/** What made the execution fail stays in its message; what an earlier rollback could not do does not. */
function rollbackOutcome(row: ExecutionRow, stored: string, problem: string | null) {
  const status = problem === null ? ('completed' as const) : ('failed' as const)
  const ended = {status, completed_at: new Date().toISOString(), error: problem === null ? null : text(problem)}
  const first = (row.error_message ?? '').replace(/(^|; )rollback failed: .*$/s, '')
  const reasons = [...(first === '' ? [] : [first]), ...(problem === null ? [] : [`rollback failed: ${problem}`])]
  return {
    status: problem === null ? ('rolled_back' as const) : ('failed' as const),
    error_message: reasons.length === 0 ? null : text(reasons.join('; ')),
    rollback_state: status,
    rollback: JSON.stringify({...(JSON.parse(stored) as StoredRollback), ...ended}),
  }
}

/** A rollback that nobody asked for: a handler failed. */
function ownRollback(status: RollbackState['status']): StoredRollback {
  return {status, requested_by: null, completed_at: new Date().toISOString(), attempt: 0}
}

function text(value: string | null): string | null {
  return value === null ? null : storable(value)
}

function statusEvent(body: object): NewEvent {
  return {kind: 'status', time: new Date(), step: null, stream: null, body: JSON.stringify(body)}
}

function stepEvent(row: StepRow): NewEvent {
  return {kind: 'step', time: new Date(), step: row.name, stream: null, body: JSON.stringify(stepView(row))}
}

/** A line of the protocol itself belongs to no step, so that it stays bare in `logs`. */
function lineEvent(line: string): NewEvent {
  return {kind: 'log', time: new Date(), step: null, stream: 'system', body: storable(line)}
}
