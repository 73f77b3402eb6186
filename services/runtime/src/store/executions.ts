import type {ExecutionQuery, ExecutionStatus} from '@atomctl/protocol/runtime'
import type {Kysely, Transaction} from 'kysely'
import type {HandlerSpec} from '../program.ts'
import type {ExecutionRow, RuntimeTables, StepRow} from './tables.ts'

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
>

export interface IdempotencyKey {
  /** Whose key it is: digest of the token, or empty. */
  readonly principal: string
  readonly key: string
  readonly requestDigest: string
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

  /** Stores an execution with its steps; false when its idempotency key was taken meanwhile. */
  async insert(execution: NewExecution, handlers: readonly HandlerSpec[], key?: IdempotencyKey): Promise<boolean> {
    try {
      await this.#database.transaction().execute(async (transaction) => {
        const values = {...execution, status: 'pending' as const, created_at: new Date(), total_steps: handlers.length}
        await transaction
          .insertInto('runtime_executions')
          .values({...values, steps_completed: 0, cancel_requested: false})
          .execute()
        if (key) {
          const row = {principal: key.principal, key: key.key, request_digest: key.requestDigest}
          await transaction
            .insertInto('runtime_idempotency')
            .values({...row, execution_id: execution.id, created_at: new Date()})
            .execute()
        }
        const steps = handlers.map((handler, position) => newStep(execution.id, 'handler', position, handler))
        await insertSteps(transaction, steps)
      })
      return true
    } catch (error) {
      if (key && isUniqueViolation(error)) return false
      throw error
    }
  }

  async find(id: string): Promise<ExecutionRow | undefined> {
    return this.#database.selectFrom('runtime_executions').selectAll().where('id', '=', id).executeTakeFirst()
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
    if (query.workflow_id !== undefined) select = select.where('workflow_id', '=', query.workflow_id)
    if (query.status) select = select.where('status', '=', query.status)
    if (before !== undefined) select = select.where('ordinal', '<', before)
    return select.limit(query.limit + 1).execute()
  }

  async unfinished(): Promise<{id: string; cancel_requested: boolean}[]> {
    return this.#database
      .selectFrom('runtime_executions')
      .select(['id', 'cancel_requested'])
      .where('status', 'in', UNFINISHED)
      .orderBy('ordinal')
      .execute()
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

  /** True for the first request to cancel an unfinished execution. */
  async requestCancel(id: string): Promise<boolean> {
    const result = await this.#database
      .updateTable('runtime_executions')
      .set({cancel_requested: true})
      .where('id', '=', id)
      .where('status', 'in', UNFINISHED)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }
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
  const blank = {started_at: null, completed_at: null, exit_code: null, http_status: null, error: null, output: null}
  return {execution_id: executionId, phase, position, name, type, status: 'pending', attempt: 0, ...blank}
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && (error as {code?: unknown}).code === '23505'
}
