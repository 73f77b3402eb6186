import type {Approval} from '@atomctl/protocol/runtime'
import type {JsonObject} from '@atomctl/protocol/values'
import {documentDigest} from '@atomctl/wpk/canonical'
import type {Kysely} from 'kysely'
import {digestOf} from './admission.ts'
import {ExecutionStopped, type Durable, type Engine} from './engine/engine.ts'
import type {Handler} from './handlers/handler.ts'
import type {Identity} from './identity.ts'
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
    for (const row of unfinished) await this.#reconcile(row)
    const alive = new Set(unfinished.map(({id}) => id))
    for (const id of await workspace.list()) if (!alive.has(id)) await workspace.remove(id)
  }

  async start(id: string): Promise<void> {
    await this.#options.engine.start(id)
  }

  /** An execution that was approved by a process which died before it could start it. */
  async startForgotten(id: string): Promise<void> {
    if ((await this.#options.engine.state(id)) === undefined) await this.start(id)
  }

  /** False when the execution has already ended. */
  async cancel(id: string, by: Identity): Promise<boolean> {
    const {engine, executions} = this.#options
    if (!(await executions.requestCancel(id, {by, action: 'cancelled'}))) return false
    await engine.cancel(id)
    // Nobody runs it here, as when it is still being recovered: then nobody else would say that it ended.
    if (!this.#active.has(id)) await this.#end(id, 'cancelled', 'Cancelled')
    return true
  }

  async #reconcile({id, cancel_requested: isCancelled, approval_state: approval}: Unfinished): Promise<void> {
    const {engine} = this.#options
    const state = await engine.state(id)
    if (state === undefined && !isCancelled) return approval === 'waiting' ? undefined : engine.start(id)
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
      const problem = problemOf(row)
      if (problem !== undefined) return void (await this.#end(id, 'failed', problem))
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

  /** For a decision about an execution that nobody runs here. */
  openProgress(id: string): StoredProgress {
    const {database, hub, notices} = this.#options
    return new StoredProgress(new Recorder({database, hub, notices}, id), id, (row) => this.#ended(row))
  }

  /** One per execution that runs: its log lines are gathered by one writer. */
  #progressOf(id: string): StoredProgress {
    const progress = this.#progress.get(id) ?? this.openProgress(id)
    this.#progress.set(id, progress)
    return progress
  }
}

type Unfinished = Awaited<ReturnType<ExecutionStore['unfinished']>>[number]

/**
 * Why an execution that the engine knows must not run: it waits for an approval, or what was approved is not what is
 * stored. Neither can happen while everybody goes through this program; a row that was changed by hand can do it.
 */
function problemOf(row: ExecutionRow): string | undefined {
  if (row.approval === null) return undefined
  const {state, document_digest: document, parameters_digest: parameters} = JSON.parse(row.approval) as Approval
  if (state !== 'approved') return `The execution was not approved (${state})`
  const isSame =
    documentDigest(JSON.parse(row.document) as JsonObject) === document &&
    digestOf(JSON.parse(row.parameters) as JsonObject) === parameters
  return isSame ? undefined : 'The stored document or parameters are not those that were approved'
}
