import {DBOS, Error as DBOSErrors} from '@dbos-inc/dbos-sdk'
import type {Storage} from '@atomctl/storage'
import type {Logger} from '../options.ts'
import {ExecutionStopped, type Durable, type Engine, type OnLost, type Run} from './engine.ts'
import {Slots} from './slots.ts'

/** Pinned: recovery only adopts executions of the same version, and ours replay across releases. */
const APPLICATION_VERSION = '1'
/** How long handlers may take to kill what they started when the process must go. */
const ABANDON_MS = 5_000
const NEVER = new Promise<never>(() => {})

export interface DbosOptions {
  storage: Storage
  concurrency: number
  executorId: string
  logger: Logger
}

interface ActiveRun {
  readonly cancelled: AbortController
  readonly finished: Promise<void>
}

/** DBOS is one per process, so the workflow is registered once and finds the engine that is launched now. */
let launched: DbosEngine | undefined
const executionWorkflow = DBOS.registerWorkflow(
  async (): Promise<void> => {
    const id = DBOS.workflowID
    if (!launched || id === undefined) throw new Error('no engine is launched')
    await launched.execute(id)
  },
  {name: 'atomctl-execution'},
)

/** The engine port on DBOS Transact 5: its tables live in schema `dbos` of the one shared pool. */
export class DbosEngine implements Engine {
  readonly #options: DbosOptions
  readonly #slots: Slots
  readonly #active = new Map<string, ActiveRun>()
  readonly #working = new Set<Promise<unknown>>()
  /** Aborts when the drain time is over: running handlers kill their processes and nothing more is recorded. */
  readonly #abandoned = new AbortController()
  #started = new Set<string>()
  #run: Run | undefined
  #onLost: OnLost | undefined

  constructor(options: DbosOptions) {
    this.#options = options
    this.#slots = new Slots(options.concurrency)
  }

  async launch(run: Run, onLost: OnLost): Promise<void> {
    if (launched) throw new Error('one process runs one runtime: close the first before creating another')
    launched = this
    this.#run = run
    this.#onLost = onLost
    const {storage, executorId, logger} = this.#options
    DBOS.setConfig({
      name: 'atomctl',
      // Never dialled: the pool below is used instead, but the setting must parse.
      systemDatabaseUrl: 'postgresql://postgres@localhost:5432/postgres',
      systemDatabasePool: storage.pool,
      useListenNotify: storage.kind === 'postgresql',
      applicationVersion: APPLICATION_VERSION,
      executorID: executorId,
      tracingEnabled: false,
      logger: {
        debug: () => {},
        info: () => {},
        warn: (entry) => logger.warn({engine: String(entry)}, 'engine'),
        error: (entry) => logger.error({engine: String(entry)}, 'engine'),
      },
    })
    try {
      await DBOS.launch()
    } catch (error) {
      launched = undefined
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
    this.#active.get(executionId)?.cancelled.abort(new ExecutionStopped('cancelled'))
  }

  async state(executionId: string): Promise<'active' | 'cancelled' | 'ended' | undefined> {
    const status = await DBOS.getWorkflowStatus(executionId)
    if (!status) return undefined
    if (['PENDING', 'ENQUEUED', 'DELAYED'].includes(status.status)) return 'active'
    return status.status === 'CANCELLED' ? 'cancelled' : 'ended'
  }

  async forget(executionIds: readonly string[]): Promise<void> {
    await DBOS.deleteWorkflows([...executionIds])
  }

  async close(drainMs: number): Promise<void> {
    await within(Promise.all([...this.#active.values()].map((run) => run.finished)), drainMs)
    this.#abandoned.abort(new Error('the runtime is stopping'))
    await within(Promise.allSettled(this.#working), ABANDON_MS)
    await DBOS.shutdown()
    if (launched === this) launched = undefined
  }

  /** The body of the workflow. */
  async execute(executionId: string): Promise<void> {
    const cancelled = new AbortController()
    const {promise: finished, resolve: finish} = Promise.withResolvers<void>()
    this.#active.set(executionId, {cancelled, finished})
    try {
      await this.#slots.use(cancelled.signal, () => this.#required().run(this.#durable(executionId, cancelled.signal)))
    } catch (error) {
      await this.#release(executionId, error)
    } finally {
      this.#active.delete(executionId)
      finish()
    }
  }

  /** Ends an execution whose run threw; always throws, or never returns when the process is going. */
  async #release(executionId: string, error: unknown): Promise<never> {
    if (this.#abandoned.signal.aborted) return NEVER
    if (!(error instanceof ExecutionStopped)) {
      this.#options.logger.error({err: error, executionId}, 'execution failed unexpectedly')
      await this.#required().onLost(executionId, 'failed', 'Internal error of the runtime')
      throw error
    }
    if (error.reason === 'superseded') throw error.cause ?? error
    await this.#required().onLost(executionId, 'cancelled', 'Cancelled')
    throw error.cause ?? new DBOSErrors.DBOSWorkflowCancelledError(executionId)
  }

  #required(): {run: Run; onLost: OnLost} {
    if (!this.#run || !this.#onLost) throw new Error('the engine is not launched')
    return {run: this.#run, onLost: this.#onLost}
  }

  #durable(executionId: string, cancelled: AbortSignal): Durable {
    const step = <T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
      this.#step(executionId, name, cancelled, work)
    return {
      executionId,
      recovered: !this.#started.has(executionId),
      cancelled,
      step,
      pause: async (name, milliseconds) => {
        const until = await step(name, () => Promise.resolve(Date.now() + milliseconds))
        await this.#waitUntil(until, cancelled)
      },
    }
  }

  async #step<T>(
    executionId: string,
    name: string,
    cancelled: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#abandoned.signal.aborted) return NEVER
    try {
      const result = await DBOS.runStep(() => this.#work(cancelled, work), {name})
      if (!cancelled.aborted) return result
    } catch (error) {
      if (this.#abandoned.signal.aborted) return NEVER
      throw await this.#stopOf(executionId, cancelled, error)
    }
    throw new ExecutionStopped('cancelled', new DBOSErrors.DBOSWorkflowCancelledError(executionId))
  }

  /** A cancel takes the execution away from its run, so DBOS may call it a conflict as well. */
  async #stopOf(executionId: string, cancelled: AbortSignal, error: unknown): Promise<unknown> {
    const isConflict = error instanceof DBOSErrors.DBOSWorkflowConflictError
    if (!isConflict && !(error instanceof DBOSErrors.DBOSWorkflowCancelledError)) return error
    const isCancelled = !isConflict || cancelled.aborted || (await this.state(executionId)) === 'cancelled'
    return new ExecutionStopped(isCancelled ? 'cancelled' : 'superseded', error)
  }

  async #work<T>(cancelled: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    // A cancel that another process recorded reaches this one through DBOS's own signal.
    const elsewhere = DBOS.stepStatus?.cancelSignal
    const signals = [cancelled, this.#abandoned.signal, ...(elsewhere ? [elsewhere] : [])]
    const working = work(AbortSignal.any(signals))
    this.#working.add(working)
    try {
      return await working
    } finally {
      this.#working.delete(working)
      // A step that was cut off by a shutdown must leave no record, or it would not run again.
      if (this.#abandoned.signal.aborted) await NEVER
    }
  }

  async #waitUntil(time: number, cancelled: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([cancelled, this.#abandoned.signal])
    while (Date.now() < time && !signal.aborted) await waitFor(Math.min(time - Date.now(), 2 ** 31 - 1), signal)
    if (this.#abandoned.signal.aborted) return NEVER
    if (cancelled.aborted) throw new ExecutionStopped('cancelled')
  }
}

function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  signal.addEventListener('abort', () => resolve(), {once: true})
  return promise.finally(() => clearTimeout(timer))
}

async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const limit = new AbortController()
  await Promise.race([work.catch(() => {}), waitFor(milliseconds, limit.signal)])
  limit.abort()
}
