import type {FastifyInstance} from 'fastify'
import {Agent} from 'undici'
import {Approvals} from './approvals.ts'
import {DbosEngine} from './engine/dbos.ts'
import {nameProcess} from './engine/process-name.ts'
import {Executor} from './executor.ts'
import {ApiHandler} from './handlers/api.ts'
import {DockerHandler} from './handlers/docker.ts'
import type {Handler} from './handlers/handler.ts'
import {K8sHandler} from './handlers/k8s.ts'
import {ShellHandler} from './handlers/shell.ts'
import {Access} from './http/access.ts'
import {buildServer, type Services} from './http/server.ts'
import {findKubectl} from './kubernetes/kubectl.ts'
import {Metrics} from './metrics.ts'
import {SILENT, type Logger, type RuntimeOptions} from './options.ts'
import {Retention} from './retention.ts'
import {secretOptions} from './secrets/options.ts'
import {SecretReader} from './secrets/reader.ts'
import {EventStore} from './store/events.ts'
import {ExecutionStore} from './store/executions.ts'
import {Hub} from './store/hub.ts'
import {Notices} from './store/notices.ts'
import {MIGRATIONS, type RuntimeTables} from './store/tables.ts'
import {Workspace} from './workspace.ts'

export type {SecretOptions} from './secrets/reader.ts'
export type {
  BlastLimit,
  FreezeWindow,
  Logger,
  RuntimeOptions,
  SafetyRules,
  TokenDigest,
  Tokens,
  TokenVerdict,
} from './options.ts'

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
  const agent = new Agent({connect: {timeout: CONNECT_TIMEOUT_MS}})
  const secrets = new SecretReader(
    options.environment ?? {},
    options.secrets ?? secretOptions(options.environment ?? {}),
  )
  const parts = assemble({...options, secretReader: secrets}, createHandlers(options, agent), logger)
  const stopping = new AbortController()
  let closing: Promise<void> | undefined
  const app = await buildServer({
    ...createServices(options, parts, logger),
    stopping: stopping.signal,
    isClosing: () => closing !== undefined,
  })
  await parts.executor.launch()
  await parts.notices?.listen()
  parts.retention.start()
  await parts.approvals.start()
  const close = async (): Promise<void> => {
    await parts.retention.stop()
    await parts.approvals.stop()
    await parts.executor.stop()
    await parts.engine.close(options.drainMs ?? 10_000)
    stopping.abort()
    parts.notices?.close()
    await app.close()
    await agent.destroy()
    await secrets.close()
  }
  return {app, close: () => (closing ??= close())}
}

const CONNECT_TIMEOUT_MS = 10_000

interface Parts {
  readonly approvals: Approvals
  readonly engine: DbosEngine
  readonly executions: ExecutionStore
  readonly executor: Executor
  readonly handlers: ReadonlyMap<string, Handler>
  readonly hub: Hub
  readonly metrics: Metrics
  readonly notices: Notices | undefined
  readonly retention: Retention
  readonly secrets: SecretReader
}

function assemble(
  options: RuntimeOptions & {readonly secretReader: SecretReader},
  handlers: ReadonlyMap<string, Handler>,
  logger: Logger,
): Parts {
  const {storage, secretReader: secrets} = options
  const database = storage.database<RuntimeTables>()
  const executions = new ExecutionStore(database)
  const hub = new Hub()
  const notices = storage.kind === 'postgresql' ? new Notices(storage.pool, hub, logger) : undefined
  // On PGlite there is only ever one runtime, which must find its own executions again.
  const executorId = storage.kind === 'pglite' ? 'local' : nameProcess()
  const engine = new DbosEngine({
    storage,
    concurrency: options.concurrency ?? 16,
    executorId,
    leaseMs: options.leaseMs ?? 15_000,
    logger,
  })
  const metrics: Metrics = new Metrics(() => executor.activeCount)
  const workspace = new Workspace(options.workDirectory, options.packages)
  const defaultTimeoutMs = options.defaultTimeoutMs ?? 3_600_000
  const executor = new Executor({
    engine,
    database,
    executions,
    hub,
    handlers,
    metrics,
    notices,
    logger,
    workspace,
    secrets,
    defaultTimeoutMs,
  })
  const retention = new Retention({database, engine, logger, days: options.retentionDays ?? 30})
  const approvals = new Approvals({executions, executor, logger, singleUser: options.singleUser ?? false})
  return {approvals, engine, executions, executor, handlers, hub, metrics, notices, retention, secrets}
}

function createServices(
  options: RuntimeOptions,
  {approvals, executions, executor, handlers, hub, metrics, secrets}: Parts,
  logger: Logger,
): Omit<Services, 'stopping' | 'isClosing'> {
  const {storage, version, tokens, trustPolicy, packages, registryUrls = () => [], safety = () => ({})} = options
  return {
    version,
    access: new Access(tokens, options.anonymousReads ?? false),
    admission: {
      trustPolicy,
      registryUrls,
      handlers,
      hasPackages: packages !== undefined,
      takesApprovals: options.approvals ?? true,
      safety,
      secrets,
      hasPassedDryRun: (document, parameters) => executions.hasPassedDryRun(document, parameters),
    },
    approvals,
    executions,
    events: new EventStore(storage.database<RuntimeTables>()),
    hub,
    executor,
    metrics,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    pollMs: storage.kind === 'pglite' ? Infinity : 1_000,
    bodyLimit: options.bodyLimit ?? 4 * 1024 * 1024,
    logger,
  }
}

function createHandlers(options: RuntimeOptions, agent: Agent): ReadonlyMap<string, Handler> {
  const {environment = {}, killGraceMs = 2_000} = options
  const limits = async () => (await options.safety?.())?.limits ?? []
  const kubectl = options.kubectl ?? findKubectl(environment['PATH'])
  const handlers: Handler[] = [
    new ShellHandler({environment, killGraceMs}),
    new ApiHandler(agent),
    ...(options.docker === false ? [] : [new DockerHandler({environment, killGraceMs, ...options.docker})]),
    ...(kubectl === undefined || kubectl === false
      ? []
      : [new K8sHandler({kubectl, environment, killGraceMs, limits})]),
  ]
  return new Map(handlers.map((handler) => [handler.type, handler]))
}
