import type {JsonObject} from '@atomctl/protocol/values'
import type {Kysely} from 'kysely'
import {ExecutionStopped, type Durable, type Engine} from './engine/engine.ts'
import type {Handler} from './handlers/handler.ts'
import {Interpreter, type Job} from './interpreter.ts'
import type {Metrics} from './metrics.ts'
import type {Logger} from './options.ts'
import {readProgram} from './program.ts'
import type {ExecutionStore} from './store/executions.ts'
import type {Hub} from './store/hub.ts'
import type {Notices} from './store/notices.ts'
import {StoredProgress} from './store/progress.ts'
import {Recorder} from './store/recorder.ts'
import type {ExecutionRow, RuntimeTables} from './store/tables.ts'
import type {PackageNeeds, SignedFiles, Workspace} from './workspace.ts'

export interface ExecutorOptions {
  readonly engine: Engine
  readonly database: Kysely<RuntimeTables>
  readonly executions: ExecutionStore
  readonly hub: Hub
  readonly notices: Notices | undefined
  readonly workspace: Workspace
  readonly handlers: ReadonlyMap<string, Handler>
  readonly metrics: Metrics
  readonly defaultTimeoutMs: number
  readonly logger: Logger
}

/** Joins the engine, the interpreter and the tables: what a stored execution needs to run and to end. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #active = new Set<string>()
  readonly #progress = new Map<string, StoredProgress>()

  constructor(options: ExecutorOptions) {
    this.#options = options
  }

  get activeCount(): number {
    return this.#active.size
  }

  /** Recovers what an earlier process left; executions the engine never heard of are started, lost ones ended. */
  async launch(): Promise<void> {
    const {engine, executions, workspace} = this.#options
    await engine.launch(
      (durable) => this.#run(durable),
      (id, outcome, message) => this.#end(id, outcome, message),
    )
    const unfinished = await executions.unfinished()
    for (const {id, cancel_requested: isCancelled} of unfinished) await this.#reconcile(id, isCancelled)
    const alive = new Set(unfinished.map(({id}) => id))
    for (const id of await workspace.list()) if (!alive.has(id)) await workspace.remove(id)
  }

  async start(id: string): Promise<void> {
    await this.#options.engine.start(id)
  }

  /** False when the execution has already ended. */
  async cancel(id: string): Promise<boolean> {
    const {engine, executions} = this.#options
    if (!(await executions.requestCancel(id))) return false
    await engine.cancel(id)
    // Nobody runs it here, as when it is still being recovered: then nobody else would say that it ended.
    if (!this.#active.has(id)) await this.#end(id, 'cancelled', 'Cancelled')
    return true
  }

  async #reconcile(id: string, isCancelled: boolean): Promise<void> {
    const {engine} = this.#options
    const state = await engine.state(id)
    if (state === undefined && !isCancelled) return engine.start(id)
    if (state === 'active' && !isCancelled) return
    if (state === 'active') await engine.cancel(id)
    if (isCancelled || state === 'cancelled') return this.#end(id, 'cancelled', 'Cancelled')
    return this.#end(id, 'failed', 'The runtime lost this execution')
  }

  async #run(durable: Durable): Promise<void> {
    const id = durable.executionId
    const row = await this.#options.executions.find(id)
    if (!row || row.completed_at) return
    this.#active.add(id)
    try {
      await this.#interpret(durable, row)
    } catch (error) {
      // Whoever took the execution over writes its progress from now on.
      if (error instanceof ExecutionStopped && error.reason === 'superseded') this.#progress.delete(id)
      throw error
    } finally {
      this.#active.delete(id)
    }
  }

  async #interpret(durable: Durable, row: ExecutionRow): Promise<void> {
    const {workspace, handlers, defaultTimeoutMs} = this.#options
    const needs: PackageNeeds = {
      executionId: row.id,
      workflowId: row.workflow_id,
      documentDigest: row.document_digest,
      files: JSON.parse(row.files) as SignedFiles,
    }
    const job: Job = {
      program: readProgram(JSON.parse(row.document) as JsonObject),
      parameters: JSON.parse(row.parameters) as JsonObject,
      dryRun: row.dry_run,
      hasFiles: needs.files.length > 0,
    }
    const interpreter = new Interpreter(durable, job, {
      progress: this.#progressOf(row.id),
      handlers,
      defaultTimeoutMs,
      prepare: (signal) => workspace.prepare(needs, signal),
      random: Math.random,
    })
    await interpreter.run()
  }

  /** Ends an execution that nobody interprets any more. */
  async #end(id: string, status: 'cancelled' | 'failed', message: string): Promise<void> {
    await this.#progressOf(id).finish(status, message)
    this.#progress.delete(id)
  }

  async #ended(row: ExecutionRow): Promise<void> {
    const {metrics, workspace, logger} = this.#options
    this.#progress.delete(row.id)
    this.#active.delete(row.id)
    const ended = row.completed_at ?? new Date()
    const seconds = (ended.getTime() - (row.started_at ?? ended).getTime()) / 1000
    metrics.ended(row.workflow_name, row.status, seconds)
    logger.info({executionId: row.id, status: row.status, seconds}, 'execution ended')
    await workspace.remove(row.id).catch((error: unknown) => {
      logger.warn({err: error, executionId: row.id}, 'the directory of an execution could not be removed')
    })
  }

  /** One per execution: its events are numbered by one writer. */
  #progressOf(id: string): StoredProgress {
    const {database, hub, notices} = this.#options
    const progress =
      this.#progress.get(id) ??
      new StoredProgress(new Recorder({database, hub, notices}, id), id, (row) => this.#ended(row))
    this.#progress.set(id, progress)
    return progress
  }
}
