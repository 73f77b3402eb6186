import type {ExecutionStatus} from '@atomctl/protocol/runtime'
import type {Transaction} from 'kysely'
import type {HandlerSpec} from '../program.ts'
import type {Finished, Phase, Progress} from '../progress.ts'
import {insertSteps, newStep, UNFINISHED} from './executions.ts'
import type {NewEvent, Recorder} from './recorder.ts'
import {storable, type ExecutionRow, type RuntimeTables, type StepRow} from './tables.ts'
import {executionView, stepView} from './views.ts'

type Change = Transaction<RuntimeTables>

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
        .set({...finished, error: text(finished.error), output: text(finished.output), completed_at: new Date()})
        .where('status', 'in', ['pending', 'running'])
        .returningAll()
        .executeTakeFirst()
      if (!row) return []
      if (phase === 'handler' && finished.status !== 'failed') await this.#current(change, row.name, position + 1)
      return [...(line === undefined ? [] : [lineEvent(line)]), stepEvent(row)]
    })
  }

  async finish(status: ExecutionStatus, message: string | null, line?: string): Promise<boolean> {
    let ended: ExecutionRow | undefined
    await this.#recorder.change(async (change) => {
      ended = await change
        .updateTable('runtime_executions')
        .set({status, error_message: text(message), completed_at: new Date()})
        .where('id', '=', this.#id)
        .where('status', 'in', UNFINISHED)
        .returningAll()
        .executeTakeFirst()
      if (!ended) return []
      const lines = line === undefined ? [] : [lineEvent(line)]
      return [...lines, ...(await this.#closeSteps(change, status)), statusEvent(executionView(ended))]
    })
    if (ended) await this.#onEnded(ended)
    return ended !== undefined
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
