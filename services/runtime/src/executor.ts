import type {Approval} from '@atomctl/protocol/runtime'
import type {JsonObject} from '@atomctl/protocol/values'
import {documentDigest} from '@atomctl/wpk/canonical'
import type {Kysely} from 'kysely'
import {digestOf} from './admission.ts'
import {ExecutionStopped, type Durable, type Engine, type RunState} from './engine/engine.ts'
import type {Handler} from './handlers/handler.ts'
import type {Identity} from './identity.ts'
import {Interpreter, type CarriedResult, type Job} from './interpreter.ts'
import type {Metrics} from './metrics.ts'
import type {Logger} from './options.ts'
import {readProgram} from './program.ts'
import {secretNeeds} from './secrets/needs.ts'
import type {SecretReader} from './secrets/reader.ts'
import type {ExecutionStore} from './store/executions.ts'
import type {Hub} from './store/hub.ts'
import type {Notices} from './store/notices.ts'
import {patiently} from './store/patience.ts'
import {StoredProgress} from './store/progress.ts'
import {Recorder} from './store/recorder.ts'
import type {ExecutionRow, RuntimeTables, StepRow, StoredRollback} from './store/tables.ts'
import {planUndo, readRunId, rollbackRunId} from './undo.ts'
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
  readonly secrets: SecretReader
  readonly defaultTimeoutMs: number
  readonly logger: Logger
}

/** Other processes store executions too, and may die before they start them. */
const RECONCILE_MS = 10_000

/** Joins the engine, the interpreter and the tables: what a stored execution needs to run and to end. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #active = new Set<string>()
  readonly #progress = new Map<string, StoredProgress>()
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #reconciling: Promise<unknown> = Promise.resolve()

  constructor(options: ExecutorOptions) {
    this.#options = options
  }

  get activeCount(): number {
    return this.#active.size
  }

  /** Recovers what an earlier process left; executions the engine never heard of are started, lost ones ended. */
  async launch(): Promise<void> {
    const {engine, workspace} = this.#options
    await engine.launch(
      (durable) => this.#run(durable),
      (id, outcome, message) => this.#lost(id, outcome, message),
    )
    const alive = await this.reconcile()
    for (const id of await workspace.list()) if (!alive.has(id)) await workspace.remove(id)
    this.#schedule()
  }

  /** Before the engine closes. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    clearTimeout(this.#timer)
    await this.#reconciling
  }

  /**
   * Starts what was accepted and whose process died before the engine heard of it, and ends what the engine lost or was
   * cancelled. Answers the directories that are still needed.
   */
  async reconcile(): Promise<ReadonlySet<string>> {
    const {engine, executions} = this.#options
    const unfinished = await executions.unfinished()
    const undoing = await executions.rollingBack()
    const runs = [...unfinished.map(({id}) => id), ...undoing.map(runOfRollback)]
    const states = await engine.states(runs)
    for (const row of unfinished) await this.#reconcile(row, states.get(row.id))
    for (const row of undoing) await this.#reconcileRollback(row, states.get(runOfRollback(row)))
    return new Set(runs.map(directoryOf))
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#reconciling = this.reconcile()
        .catch((error: unknown) => this.#options.logger.warn({err: error}, 'executions could not be looked after'))
        .then(() => this.#stopped.signal.aborted || this.#schedule())
    }, RECONCILE_MS).unref()
  }

  async start(id: string): Promise<void> {
    await this.#options.engine.start(id)
  }

  /** False when the execution has already ended. */
  async cancel(id: string, by: Identity): Promise<boolean> {
    const {engine, executions} = this.#options
    if (!(await executions.requestCancel(id, {by, action: 'cancelled'}))) return false
    await engine.cancel(id)
    // Nobody runs it here, as when it is still being recovered: then nobody else would say that it ended.
    if (!this.#active.has(id)) await this.openProgress(id).finish('cancelled', 'Cancelled')
    return true
  }

  /** Undoes an ended execution, as a workflow of its own. Throws 400. */
  async rollBack(id: string, by: Identity): Promise<void> {
    const rollback = await this.openProgress(id).beginRollback(by, planUndo)
    await this.start(rollbackRunId(id, rollback))
  }

  /** A rollback that was asked for and never began, or that the engine lost. */
  async #reconcileRollback(row: Undoing, state: RunState | undefined): Promise<void> {
    const runId = runOfRollback(row)
    if (state === undefined) await this.start(runId)
    else if (state !== 'active') await this.#lost(runId, 'failed', 'The runtime lost this rollback')
  }

  async #reconcile(row: Unfinished, state: RunState | undefined): Promise<void> {
    const {engine} = this.#options
    const {id, cancel_requested: isCancelled, approval_state: approval} = row
    if (state === undefined && !isCancelled) return approval === 'waiting' ? undefined : engine.start(id)
    if (state === 'active' && !isCancelled) return
    if (state === 'active') await engine.cancel(id)
    if (isCancelled || state === 'cancelled') return this.#end(id, 'cancelled', 'Cancelled')
    return this.#end(id, 'failed', 'The runtime lost this execution')
  }

  async #run(durable: Durable): Promise<void> {
    const {executionId: id, isRollback} = readRunId(durable.executionId)
    const row = await patiently(() => this.#options.executions.find(id), durable.superseded)
    if (!row || (isRollback ? row.rollback_state !== 'running' : row.completed_at)) return
    this.#active.add(durable.executionId)
    const progress = this.openProgress(id, durable.superseded)
    this.#progress.set(id, progress)
    try {
      if (isRollback) return await this.#undo(durable, row)
      const problem = problemOf(row)
      if (problem !== undefined) return await this.#end(id, 'failed', problem)
      await this.#interpret(durable, row)
    } catch (error) {
      if (isSuperseded(error) && this.#progress.get(id) === progress) this.#progress.delete(id)
      throw error
    } finally {
      this.#active.delete(durable.executionId)
    }
  }

  async #interpret(durable: Durable, row: ExecutionRow): Promise<void> {
    const steps = await patiently(() => this.#options.executions.steps(row.id), durable.superseded)
    await this.#interpreterOf(durable, row, steps.filter(isCarried)).run()
  }

  /** What an earlier try undid is noted first, as the rows change while this one goes on. */
  async #undo(durable: Durable, row: ExecutionRow): Promise<void> {
    const {executions, workspace} = this.#options
    const steps = await patiently(() => executions.steps(row.id), durable.superseded)
    const completed = steps.filter(({status}) => status === 'completed')
    const undone = await durable.step('rollback plan', () =>
      Promise.resolve(completed.filter(({phase}) => phase === 'rollback').map(({position}) => position)),
    )
    const forward = completed.filter(({phase}) => phase === 'handler')
    const problems = await this.#interpreterOf(durable, row, forward).rollBack(new Set(undone))
    await this.#progressOf(row.id).finishRollback(problems.length === 0 ? null : problems.join('; '))
    this.#progress.delete(row.id)
    await workspace.remove(directoryOf(durable.executionId))
  }

  #interpreterOf(durable: Durable, row: ExecutionRow, carried: readonly StepRow[]): Interpreter {
    const {workspace, handlers, defaultTimeoutMs, secrets} = this.#options
    const needs: PackageNeeds = {
      directory: directoryOf(durable.executionId),
      workflowId: row.workflow_id,
      documentDigest: row.document_digest,
      files: JSON.parse(row.files) as SignedFiles,
    }
    const document = JSON.parse(row.document) as JsonObject
    const job: Job = {
      program: readProgram(document),
      parameters: JSON.parse(row.parameters) as JsonObject,
      secrets: secretNeeds(document),
      dryRun: row.dry_run,
      hasFiles: needs.files.length > 0,
      executionId: row.id,
      carried: new Map(carried.map((step) => [step.position, carriedResult(step)])),
    }
    return new Interpreter(durable, job, {
      progress: this.#progressOf(row.id),
      handlers,
      defaultTimeoutMs,
      secrets,
      prepare: (signal) => workspace.prepare(needs, signal),
      random: Math.random,
    })
  }

  /** Ends what nobody interprets any more. */
  async #lost(runId: string, outcome: 'cancelled' | 'failed', message: string): Promise<void> {
    const {executionId, isRollback} = readRunId(runId)
    if (!isRollback) return this.#end(executionId, outcome, message)
    await this.#progressOf(executionId).finishRollback(message)
    this.#progress.delete(executionId)
  }

  async #end(id: string, status: 'cancelled' | 'failed', message: string): Promise<void> {
    await this.#progressOf(id).finish(status, message)
    this.#progress.delete(id)
  }

  async #ended(row: ExecutionRow): Promise<void> {
    const {metrics, workspace, logger} = this.#options
    this.#progress.delete(row.id)
    this.#active.delete(row.id)
    const ended = row.completed_at ?? new Date()
    const seconds = Math.max(0, ended.getTime() - (row.started_at ?? ended).getTime()) / 1000
    metrics.ended(row.workflow_name, row.status, seconds)
    logger.info({executionId: row.id, status: row.status, seconds}, 'execution ended')
    await workspace.remove(row.id).catch((error: unknown) => {
      logger.warn({err: error, executionId: row.id}, 'the directory of an execution could not be removed')
    })
  }

  /** With `patience` it waits for a database that cannot be reached; without, it is for a decision somebody waits for. */
  openProgress(id: string, patience?: AbortSignal): StoredProgress {
    const {database, hub, notices} = this.#options
    return new StoredProgress(new Recorder({database, hub, notices, patience}, id), id, (row) => this.#ended(row))
  }

  /** One per execution that runs: its log lines are gathered by one writer. */
  #progressOf(id: string): StoredProgress {
    const progress = this.#progress.get(id) ?? this.openProgress(id, this.#stopped.signal)
    this.#progress.set(id, progress)
    return progress
  }
}

/** Only a step that another execution did is completed or skipped without an attempt when this one begins. */
function isCarried({phase, status, attempt, started_at: started}: StepRow): boolean {
  return phase === 'handler' && status === 'completed' && attempt === 0 && started === null
}

/** Every rollback on demand works in a directory of its own: nobody who tidies up behind another is in its way. */
function directoryOf(runId: string): string {
  return runId.replaceAll(':', '.')
}

function runOfRollback({id, rollback}: Undoing): string {
  return rollbackRunId(id, JSON.parse(rollback ?? '{}') as StoredRollback)
}

/** Whoever took an execution over writes its progress from now on. */
function isSuperseded(error: unknown): boolean {
  return error instanceof ExecutionStopped && error.reason === 'superseded'
}

function carriedResult({status, outputs}: StepRow): CarriedResult {
  const put = outputs === null ? {} : (JSON.parse(outputs) as Record<string, string>)
  return {completed: status === 'completed', outputs: put}
}

type Undoing = Pick<ExecutionRow, 'id' | 'rollback'>
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
