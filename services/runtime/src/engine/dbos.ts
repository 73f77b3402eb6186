import {DBOS, Error as DBOSErrors} from '@dbos-inc/dbos-sdk'
import type {Storage} from '@atomctl/storage'
import type {Logger} from '../options.ts'
import {ExecutionStopped, type Engine, type OnLost, type Run, type RunState} from './engine.ts'
import {Peers} from './peers.ts'
import {DbosRun, type Halt} from './run.ts'
import {Slots} from './slots.ts'
import {within} from './timing.ts'

/** Pinned: recovery only adopts executions of the same version, and ours replay across releases. */
const APPLICATION_VERSION = '1'
/** How long handlers may take to kill what they started when the process must go. */
const ABANDON_MS = 5_000

export interface DbosOptions {
  readonly storage: Storage
  readonly concurrency: number
  /** Who runs an execution. On PGlite always the same; on PostgreSQL every process has its own. */
  readonly executorId: string
  /** On PostgreSQL: how long a runtime may show no sign of life until others carry on what it ran. */
  readonly leaseMs: number
  readonly logger: Logger
}

/** DBOS is one per process, so the workflow is registered once and finds the engine that is launched now. */
let launched: DbosEngine | undefined
const executionWorkflow = DBOS.registerWorkflow(
  // Without an engine DBOS is shutting down; a result or an error would be recorded as the execution's.
  (): Promise<void> => (launched && DBOS.workflowID ? launched.execute(DBOS.workflowID) : new Promise<never>(() => {})),
  {name: 'atomctl-execution'},
)

/** The engine port on DBOS Transact 5: its tables live in schema `dbos` of the one shared pool. */
export class DbosEngine implements Engine {
  readonly #options: DbosOptions
  readonly #slots: Slots
  readonly #active = new Map<string, DbosRun>()
  readonly #started = new Set<string>()
  readonly #draining = new AbortController()
  readonly #abandoned = new AbortController()
  readonly #halt: Halt = {draining: this.#draining.signal, abandoned: this.#abandoned.signal, working: new Set()}
  readonly #peers: Peers | undefined
  #callbacks: {run: Run; onLost: OnLost} | undefined

  constructor(options: DbosOptions) {
    this.#options = options
    this.#slots = new Slots(options.concurrency)
    if (options.storage.kind === 'postgresql') this.#peers = this.#createPeers(options)
  }

  #createPeers({storage, executorId, leaseMs, logger}: DbosOptions): Peers {
    return new Peers({
      pool: storage.pool,
      executorId,
      leaseMs,
      logger,
      isRunning: (id) => this.#active.has(id),
      onFenced: () => {
        for (const run of this.#active.values()) run.supersede()
      },
    })
  }

  async launch(run: Run, onLost: OnLost): Promise<void> {
    occupy(this)
    this.#callbacks = {run, onLost}
    DBOS.setConfig(configuration(this.#options, this.#draining.signal))
    try {
      await this.#peers?.join()
      await DBOS.launch()
      this.#peers?.watch()
    } catch (error) {
      launched = undefined
      await this.#peers?.leave()
      throw error
    }
  }

  async start(executionId: string): Promise<void> {
    this.#started.add(executionId)
    await DBOS.startWorkflow(executionWorkflow, {workflowID: executionId})()
  }

  async cancel(executionId: string): Promise<void> {
    // The record first: whatever the running step then answers, the engine already refuses to go on.
    await DBOS.cancelWorkflow(executionId)
    this.#active.get(executionId)?.cancel()
  }

  async state(executionId: string): Promise<RunState | undefined> {
    const status = await DBOS.getWorkflowStatus(executionId)
    return status ? stateOf(status) : undefined
  }

  async states(executionIds: readonly string[]): Promise<ReadonlyMap<string, RunState>> {
    if (executionIds.length === 0) return new Map()
    const known = await DBOS.listWorkflows({workflowIDs: [...executionIds], loadInput: false, loadOutput: false})
    return new Map(known.map((status) => [status.workflowID, stateOf(status)]))
  }

  async forget(executionIds: readonly string[]): Promise<void> {
    await DBOS.deleteWorkflows([...executionIds])
  }

  async close(drainMs: number): Promise<void> {
    this.#draining.abort()
    const runs = [...this.#active.values()]
    await within(Promise.all(runs.map(({settled}) => settled)), drainMs)
    this.#abandoned.abort()
    await within(Promise.allSettled(this.#halt.working), ABANDON_MS)
    await DBOS.shutdown()
    if (launched === this) launched = undefined
    await this.#peers?.leave()
  }

  /** The body of the workflow. */
  async execute(executionId: string): Promise<void> {
    const recovered = !this.#started.delete(executionId)
    const run = new DbosRun({
      executionId,
      recovered,
      halt: this.#halt,
      pool: this.#options.storage.pool,
      peers: this.#peers,
    })
    if (this.#draining.signal.aborted || !this.#callbacks) return run.park()
    this.#active.set(executionId, run)
    const {run: interpret, onLost} = this.#callbacks
    try {
      const signal = AbortSignal.any([run.cancelled, run.superseded, this.#draining.signal])
      await this.#slots.use(signal, () => interpret(run))
    } catch (error) {
      await this.#release(run, error, onLost)
    } finally {
      if (this.#active.get(executionId) === run) this.#active.delete(executionId)
      run.settle()
    }
  }

  /**
   * Never returns: another process has the execution. Told so, the engine would ask the database for its outcome again
   * and again, for each of all the executions that one outage took away.
   */
  #letGo(run: DbosRun): Promise<never> {
    if (this.#active.get(run.executionId) === run) this.#active.delete(run.executionId)
    return run.park()
  }

  /** Ends an execution whose run threw; always throws, or never returns when the process is going. */
  async #release(run: DbosRun, error: unknown, onLost: OnLost): Promise<never> {
    if (this.#abandoned.signal.aborted) return run.park()
    const id = run.executionId
    if (run.superseded.aborted) return this.#letGo(run)
    if (!(error instanceof ExecutionStopped)) {
      // Who has lost the execution has nothing to say about how it ended.
      if (!(await run.isOwned())) return this.#letGo(run)
      this.#options.logger.error({err: error, executionId: id}, 'execution failed unexpectedly')
      await onLost(id, 'failed', 'Internal error of the runtime')
      throw error
    }
    if (error.reason === 'superseded') return this.#letGo(run)
    // Stopped before its turn, by a shutdown and not by a cancel.
    if (this.#draining.signal.aborted && !run.cancelled.aborted && !error.origin) return run.park()
    await onLost(id, 'cancelled', 'Cancelled')
    throw error.origin ?? new DBOSErrors.DBOSWorkflowCancelledError(id)
  }
}

function stateOf({status}: {status: string}): RunState {
  if (['PENDING', 'ENQUEUED', 'DELAYED'].includes(status)) return 'active'
  return status === 'CANCELLED' ? 'cancelled' : 'ended'
}

function occupy(engine: DbosEngine): void {
  if (launched) throw new Error('one process runs one runtime: close the first before creating another')
  launched = engine
}

function configuration(
  {storage, executorId, logger}: DbosOptions,
  draining: AbortSignal,
): Parameters<typeof DBOS.setConfig>[0] {
  return {
    name: 'atomctl',
    // Never dialled: the pool is used instead, but the setting must parse.
    systemDatabaseUrl: 'postgresql://postgres@localhost:5432/postgres',
    systemDatabasePool: storage.pool,
    // A listener would take PGlite's only connection for itself; on PostgreSQL nothing here waits for messages.
    useListenNotify: false,
    applicationVersion: APPLICATION_VERSION,
    executorID: executorId,
    tracingEnabled: false,
    logger: {
      debug: () => {},
      info: () => {},
      // That executions are left unfinished is what draining does.
      warn: (entry) => (draining.aborted ? logger.info : logger.warn).call(logger, {engine: String(entry)}, 'engine'),
      error: (entry) => logger.error({engine: String(entry)}, 'engine'),
    },
  }
}
