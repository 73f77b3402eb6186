import type {Kysely} from 'kysely'
import type {Engine} from './engine/engine.ts'
import type {Logger} from './options.ts'
import type {ExecutionRow, RuntimeTables, StoredRollback} from './store/tables.ts'
import {rollbackRunId} from './undo.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const BATCH = 200

export interface RetentionOptions {
  readonly database: Kysely<RuntimeTables>
  readonly engine: Engine
  /** Infinity keeps everything. */
  readonly days: number
  readonly logger: Logger
}

/** Forgets executions that ended long ago, with their logs, idempotency keys and the engine's own records. */
export class Retention {
  readonly #options: RetentionOptions
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  start(): void {
    if (!Number.isFinite(this.#options.days)) return
    this.#schedule()
    this.#timer = setInterval(() => this.#schedule(), HOUR_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sweeping
  }

  /** Answers how many were forgotten. */
  async sweep(now: Date): Promise<number> {
    const before = new Date(now.getTime() - this.#options.days * DAY_MS)
    let count = 0
    for (let batch = await this.#remove(before); batch > 0; batch = await this.#remove(before)) count += batch
    return count
  }

  #schedule(): void {
    const {logger} = this.#options
    this.#sweeping = this.sweep(new Date()).catch((error: unknown) => {
      logger.warn({err: error}, 'old executions could not be forgotten')
    })
  }

  /** The engine's records first: an execution without them is not started again, one without a row would be lost. */
  async #remove(before: Date): Promise<number> {
    const {database, engine} = this.#options
    const rows = await database
      .selectFrom('runtime_executions')
      .select(['id', 'rollback'])
      .where('completed_at', '<', before)
      .where((row) => row.or([row('rollback_state', 'is', null), row('rollback_state', '!=', 'running')]))
      .limit(BATCH)
      .execute()
    if (rows.length === 0) return 0
    const ids = rows.map(({id}) => id)
    await engine.forget(rows.flatMap(runsOf))
    await database.deleteFrom('runtime_executions').where('id', 'in', ids).execute()
    return rows.length
  }
}

/** The workflows of an execution: itself and its rollbacks on demand. */
function runsOf({id, rollback}: Pick<ExecutionRow, 'id' | 'rollback'>): string[] {
  const last = rollback === null ? 0 : (JSON.parse(rollback) as StoredRollback).attempt
  const attempts = Array.from({length: last}, (_, index) => index + 1)
  return [id, ...attempts.map((attempt) => rollbackRunId(id, {attempt}))]
}
