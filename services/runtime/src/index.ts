import {randomUUID} from 'node:crypto'
import type {FastifyInstance} from 'fastify'
import {Agent} from 'undici'
import {DbosEngine} from './engine/dbos.ts'
import {Executor} from './executor.ts'
import {ApiHandler} from './handlers/api.ts'
import type {Handler} from './handlers/handler.ts'
import {ShellHandler} from './handlers/shell.ts'
import {buildServer} from './http/server.ts'
import {Metrics} from './metrics.ts'
import {SILENT, type RuntimeOptions} from './options.ts'
import {EventStore} from './store/events.ts'
import {ExecutionStore} from './store/executions.ts'
import {Hub} from './store/hub.ts'
import {MIGRATIONS, type RuntimeTables} from './store/tables.ts'
import {Workspace} from './workspace.ts'

export type {Logger, RuntimeOptions, Tokens} from './options.ts'

export interface Runtime {
  /** Not listening yet: `app.listen` is the caller's. */
  readonly app: FastifyInstance
  /** Refuses new executions, lets running ones end for `drainMs`, leaves the rest to the next start. */
  close(): Promise<void>
}

/**
 * Builds the runtime on an open storage and resumes what an earlier one left unfinished. One per process, because
 * the durable engine is. The storage stays the caller's and must be closed after the runtime.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const {storage, logger = SILENT} = options
  await storage.migrate('runtime', MIGRATIONS)
  const database = storage.database<RuntimeTables>()
  const executions = new ExecutionStore(database)
  const hub = new Hub()
  const agent = new Agent({connect: {timeout: 10_000}})
  const handlers = createHandlers(options, agent)
  const engine = new DbosEngine({
    storage,
    concurrency: options.concurrency ?? 16,
    executorId: storage.kind === 'pglite' ? 'local' : randomUUID(),
    logger,
  })
  const metrics: Metrics = new Metrics(() => executor.activeCount)
  const executor = new Executor({
    engine,
    database,
    executions,
    hub,
    handlers,
    metrics,
    logger,
    workspace: new Workspace(options.workDirectory, options.packages),
    defaultTimeoutMs: options.defaultTimeoutMs ?? 3_600_000,
  })
  const stopping = new AbortController()
  let isClosing = false
  const app = await buildServer({
    version: options.version,
    access: {tokens: options.tokens, anonymousReads: options.anonymousReads ?? false},
    admission: {
      trustPolicy: options.trustPolicy,
      handlers,
      hasPackages: options.packages !== undefined,
      hasPassedDryRun: (document, parameters) => executions.hasPassedDryRun(document, parameters),
    },
    executions,
    events: new EventStore(database),
    hub,
    executor,
    metrics,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    pollMs: storage.kind === 'pglite' ? Infinity : 1_000,
    bodyLimit: options.bodyLimit ?? 4 * 1024 * 1024,
    logger,
    stopping: stopping.signal,
    isClosing: () => isClosing,
    start: (id) => engine.start(id),
  })
  await executor.launch()
  const close = async (): Promise<void> => {
    if (isClosing) return
    isClosing = true
    await engine.close(options.drainMs ?? 10_000)
    stopping.abort()
    await app.close()
    await agent.destroy()
  }
  return {app, close}
}

function createHandlers(options: RuntimeOptions, agent: Agent): ReadonlyMap<string, Handler> {
  const handlers: Handler[] = [
    new ShellHandler({environment: options.environment ?? {}, killGraceMs: options.killGraceMs ?? 2_000}),
    new ApiHandler(() => Promise.resolve(agent)),
  ]
  return new Map(handlers.map((handler) => [handler.type, handler]))
}
