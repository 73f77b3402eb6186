import {tmpdir} from 'node:os'
import helmet from '@fastify/helmet'
import multipart from '@fastify/multipart'
import type {Storage} from '@atomctl/storage'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import Fastify, {type FastifyBaseLogger, type FastifyInstance, type RawServerDefault} from 'fastify'
import {serializerCompiler, validatorCompiler, type ZodTypeProvider} from 'fastify-type-provider-zod'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {authenticate, tokenStore, type Tokens} from './authentication.ts'
import {registerFailureHandlers} from './failures.ts'
import type {PackageStore} from './packages.ts'
import {protectAgainstSlowBodies} from './protection.ts'
import {registerContentRoutes} from './routes/content.ts'
import {registerJudgementRoutes} from './routes/judgement.ts'
import {registerPackageRoutes} from './routes/packages.ts'
import {registerPushRoute} from './routes/push.ts'
import {registerRunRoutes} from './routes/runs.ts'
import {registerServiceRoutes} from './routes/service.ts'
import type {RegistryTables} from './schema.ts'

export interface RegistryLimits {
  /** Largest package in bytes. */
  readonly packageBytes: number
  /** Largest JSON body in bytes. */
  readonly jsonBytes: number
  /** A client has this long to send the headers of a request. */
  readonly headersMs: number
  /** And this long for everything: the last resort behind the rate. */
  readonly requestMs: number
  readonly bytesPerSecond: number
  readonly graceMs: number
  readonly lingerMs: number
}

export const DEFAULT_LIMITS: RegistryLimits = {
  packageBytes: 1024 * 1024 * 1024,
  jsonBytes: 1024 * 1024,
  headersMs: 15_000,
  requestMs: 2 * 60 * 60 * 1000,
  bytesPerSecond: 8 * 1024,
  graceMs: 20_000,
  lingerMs: 5000,
}

export interface RegistryOptions {
  readonly storage: Storage
  /** Read for every push, so that an edited policy counts at once. */
  readonly trustPolicy: () => Promise<TrustPolicy>
  /**
   * The URLs clients know this registry by, asked for every push (a port may be known only then): signatures that are
   * bound to another registry are refused. Absent or empty: bindings are not compared.
   */
  readonly publicUrls?: () => readonly string[]
  readonly tokens: Tokens
  readonly version: string
  readonly anonymousReads: boolean
  readonly limits?: Partial<RegistryLimits>
  readonly logger?: FastifyBaseLogger
  /** Where uploads lie while they are checked; the system's temporary directory by default. */
  readonly spoolDirectory?: string
}

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** The HTTP application; its tables must be there. */
export async function buildApp(options: RegistryOptions, packages: PackageStore): Promise<App> {
  const limits = {...DEFAULT_LIMITS, ...options.limits}
  const app = createServer(limits, options.logger)
  app.decorateRequest('identity', undefined)
  registerFailureHandlers(app)
  protectAgainstSlowBodies(app, limits)
  const tokens = tokenStore(options.tokens)
  app.addHook('onRequest', (request) => authenticate(request, tokens, options.anonymousReads))
  await app.register(helmet)
  await app.register(multipart)
  registerBodyParsers(app)
  registerRoutes(app, packages, {...options, limits})
  return app
}

function createServer(limits: RegistryLimits, logger: FastifyBaseLogger | undefined): App {
  const app = Fastify({
    ...(logger && {loggerInstance: logger}),
    bodyLimit: limits.jsonBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    requestTimeout: limits.requestMs,
    http: {headersTimeout: limits.headersMs, connectionsCheckingInterval: Math.min(limits.headersMs, 5000)},
    routerOptions: {ignoreTrailingSlash: true, maxParamLength: 512, querystringParser: parseQuery},
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app
}

/** As the original reads a query: the last of a repeated key counts, an empty value is none. */
function parseQuery(text: string): Record<string, string> {
  const given = Object.fromEntries(new URLSearchParams(text))
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
}

/** JSON may be absent, and any other type is a body that is not the one wanted: 422 by the route's schema. */
function registerBodyParsers(app: App): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', {parseAs: 'string'}, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parseJson(request, body as string, done)
  })
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null, null)
  })
}

function registerRoutes(app: App, packages: PackageStore, options: RegistryOptions & {limits: RegistryLimits}): void {
  const {storage, version, trustPolicy, limits, spoolDirectory = tmpdir(), publicUrls = () => []} = options
  const database = storage.database<RegistryTables>()
  registerServiceRoutes(app, version, async () => void (await storage.pool.query('select 1')))
  registerPushRoute(app, packages, {trustPolicy, publicUrls, spoolDirectory, packageBytes: limits.packageBytes})
  registerPackageRoutes(app, packages, database)
  registerContentRoutes(app, packages)
  registerJudgementRoutes(app, packages)
  registerRunRoutes(app, database)
}
