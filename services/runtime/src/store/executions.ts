import type {ExecutionQuery, ExecutionStatus} from '@atomctl/protocol/runtime'
import type {Kysely, Transaction} from 'kysely'
import type {HandlerSpec} from '../program.ts'
import {refuse} from '../refusal.ts'
import {writeAudit, type NewAudit} from './audit.ts'
import {isUniqueViolation} from './violations.ts'
import {storable, type AuditRow, type ExecutionRow, type RuntimeTables, type StepRow} from './tables.ts'

export type NewExecution = Pick<
  ExecutionRow,
  | 'id'
  | 'workflow_id'
  | 'workflow_name'
  | 'requested_by'
  | 'dry_run'
  | 'document'
  | 'document_digest'
  | 'parameters'
  | 'parameters_digest'
  | 'files'
  | 'verification'
  | 'approval_state'
  | 'approval_expires_at'
  | 'approval'
  | 'retry_of'
  | 'break_glass'
>

/** What an execution that carries on another one starts with: steps it need not do again. */
export type CarriedStep = Pick<StepRow, 'position' | 'status' | 'outputs' | 'exit_code' | 'http_status'>

export interface IdempotencyKey {
  /** Whose key it is: digest of the token, or empty. */
  readonly principal: string
  readonly key: string
  readonly requestDigest: string
}

/** What is stored with a new execution. */
export interface Beginning {
  readonly key?: IdempotencyKey | undefined
  readonly audit: readonly NewAudit[]
  readonly carried?: readonly CarriedStep[] | undefined
}

/** A statement takes at most 65,535 values. */
const ROWS_PER_INSERT = 500

export const UNFINISHED = ['pending', 'running'] as const satisfies ExecutionStatus[]

/** Reads and first writes of executions; what happens while one runs is the Recorder's and Progress's. */
export class ExecutionStore {
  readonly #database: Kysely<RuntimeTables>

  constructor(database: Kysely<RuntimeTables>) {
    this.#database = database
  }

  /** Stores an execution with its steps; false when its idempotency key, or what it retries, was taken meanwhile. */
  async insert(execution: NewExecution, handlers: readonly HandlerSpec[], about: Beginning): Promise<boolean> {
    const {key, audit, carried = []} = about
    try {
      await this.#database.transaction().execute(async (transaction) => {
        const values = {...execution, status: 'pending' as const, created_at: new Date(), total_steps: handlers.length}
        await transaction
          .insertInto('runtime_executions')
          .values({...values, steps_completed: carried.length, cancel_requested: false})
          .execute()
        if (execution.retry_of !== null) await markRetried(transaction, execution.retry_of, execution.id, about)
        for (const entry of audit) await writeAudit(transaction, execution.id, entry)
        if (key) {
          const row = {principal: key.principal, key: key.key, request_digest: key.requestDigest}
          await transaction
            .insertInto('runtime_idempotency')
            .values({...row, execution_id: execution.id, created_at: new Date()})
            .execute()
        }
        const done = new Map(carried.map((step) => [step.position, step]))
        const steps = handlers.map((handler, position) => ({
          ...newStep(execution.id, 'handler', position, handler),
          ...done.get(position),
        }))
        await insertSteps(transaction, steps)
      })
      return true
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw error
    }
  }

  async find(id: string): Promise<ExecutionRow | undefined> {
    return this.#database.selectFrom('runtime_executions').selectAll().where('id', '=', storable(id)).executeTakeFirst()
  }

  async steps(id: string): Promise<StepRow[]> {
    return this.#database
      .selectFrom('runtime_steps')
      .selectAll()
      .where('execution_id', '=', id)
      .orderBy('phase')
      .orderBy('position')
      .execute()
  }

  /** Newest first. `before` is the ordinal of the last execution of the page before. */
  async list(query: ExecutionQuery, before?: string): Promise<ExecutionRow[]> {
    let select = this.#database.selectFrom('runtime_executions').selectAll().orderBy('ordinal', 'desc')
    if (query.workflow_id !== undefined) select = select.where('workflow_id', '=', storable(query.workflow_id))
    if (query.status) select = select.where('status', '=', query.status)
    if (before !== undefined) select = select.where('ordinal', '<', before)
    return select.limit(query.limit + 1).execute()
  }

  async unfinished(): Promise<Pick<ExecutionRow, 'id' | 'cancel_requested' | 'approval_state'>[]> {
    return this.#database
      .selectFrom('runtime_executions')
      .select(['id', 'cancel_requested', 'approval_state'])
      .where('status', 'in', UNFINISHED)
      .orderBy('ordinal')
      .execute()
  }

  /** Ended executions that are being rolled back on demand. */
  async rollingBack(): Promise<Pick<ExecutionRow, 'id' | 'rollback'>[]> {
    return this.#database
      .selectFrom('runtime_executions')
      .select(['id', 'rollback'])
      .where('rollback_state', '=', 'running')
      .execute()
  }

  /** Executions whose approval did not come in time. */
  async expired(now: Date): Promise<string[]> {
    const rows = await this.#waiting().select('id').where('approval_expires_at', '<=', now).execute()
    return rows.map(({id}) => id)
  }

  /** When the next approval expires. */
  async nextExpiry(): Promise<Date | undefined> {
    const row = await this.#waiting()
      .select('approval_expires_at')
      .orderBy('approval_expires_at')
      .limit(1)
      .executeTakeFirst()
    return row?.approval_expires_at ?? undefined
  }

  async retryOf(id: string): Promise<string | undefined> {
    return findRetry(this.#database, id)
  }

  async audit(id: string): Promise<AuditRow[]> {
    return this.#database
      .selectFrom('runtime_audit')
      .selectAll()
      .where('execution_id', '=', id)
      .orderBy('ordinal')
      .execute()
  }

  #waiting() {
    return this.#database
      .selectFrom('runtime_executions')
      .where('status', '=', 'pending')
      .where('approval_state', '=', 'waiting')
  }

  async countRunning(): Promise<number> {
    const row = await this.#database
      .selectFrom('runtime_executions')
      .select((select) => select.fn.countAll().as('count'))
      .where('status', '=', 'running')
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  async byIdempotencyKey(
    key: Pick<IdempotencyKey, 'principal' | 'key'>,
  ): Promise<{request_digest: string; execution_id: string} | undefined> {
    return this.#database
      .selectFrom('runtime_idempotency')
      .select(['request_digest', 'execution_id'])
      .where('principal', '=', key.principal)
      .where('key', '=', key.key)
      .executeTakeFirst()
  }

  /** Whether a dry run of exactly this document with exactly these parameters completed. */
  async hasPassedDryRun(documentDigest: string, parametersDigest: string): Promise<boolean> {
    const row = await this.#database
      .selectFrom('runtime_executions')
      .select('id')
      .where('dry_run', '=', true)
      .where('status', '=', 'completed')
      .where('document_digest', '=', documentDigest)
      .where('parameters_digest', '=', parametersDigest)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }

  /** False when the execution has ended. */
  async requestCancel(id: string, audit: NewAudit): Promise<boolean> {
    return this.#database.transaction().execute(async (transaction) => {
      const result = await transaction
        .updateTable('runtime_executions')
        .set({cancel_requested: true})
        .where('id', '=', id)
        .where('status', 'in', UNFINISHED)
        .executeTakeFirst()
      if (result.numUpdatedRows === 0n) return false
      await writeAudit(transaction, id, audit)
      return true
    })
  }
}

/** The execution that carries this one on, if any. One that was rejected never ran. */
export async function findRetry(database: Kysely<RuntimeTables>, id: string): Promise<string | undefined> {
  const row = await database
    .selectFrom('runtime_executions')
    .select('id')
    .where('retry_of', '=', id)
    .where('status', '!=', 'rejected')
    .executeTakeFirst()
  return row?.id
}

/** Whoever wants to roll the execution back waits until it is carried on, and then may not; or was first. */
async function markRetried(
  transaction: Transaction<RuntimeTables>,
  id: string,
  later: string,
  about: Beginning,
): Promise<void> {
  const select = transaction.selectFrom('runtime_executions').select('rollback_state').where('id', '=', id)
  const row = await select.forUpdate().executeTakeFirst()
  const isUndone = row === undefined || (row.rollback_state !== null && about.carried?.length !== 0)
  if (isUndone || row.rollback_state === 'running')
    throw refuse(409, 'CONFLICT', 'Cannot retry: the execution is being rolled back')
  for (const {by} of about.audit.slice(0, 1))
    await writeAudit(transaction, id, {by, action: 'retried', reason: `as ${later}`})
}

/** Rows that are there already stay as they are. Answers how many are new. */
export async function insertSteps(transaction: Transaction<RuntimeTables>, steps: readonly StepRow[]): Promise<number> {
  let count = 0
  for (let start = 0; start < steps.length; start += ROWS_PER_INSERT) {
    const insert = transaction.insertInto('runtime_steps').values(steps.slice(start, start + ROWS_PER_INSERT))
    const result = await insert.onConflict((conflict) => conflict.doNothing()).executeTakeFirst()
    count += Number(result.numInsertedOrUpdatedRows ?? 0)
  }
  return count
}

export function newStep(
  executionId: string,
  phase: StepRow['phase'],
  position: number,
  {name, type}: HandlerSpec,
): StepRow {
  const blank = {
    started_at: null,
    completed_at: null,
    exit_code: null,
    http_status: null,
    error: null,
    output: null,
    outputs: null,
  }
  return {execution_id: executionId, phase, position, name, type, status: 'pending', attempt: 0, ...blank}
}
