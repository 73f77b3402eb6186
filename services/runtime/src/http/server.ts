import helmet from '@fastify/helmet'
import Fastify, {type FastifyInstance} from 'fastify'
import {serializerCompiler, validatorCompiler, type ZodTypeProvider} from 'fastify-type-provider-zod'
import type {AdmissionOptions} from '../admission.ts'
import type {Approvals} from '../approvals.ts'
import type {Executor} from '../executor.ts'
import type {Identity} from '../identity.ts'
import type {Metrics} from '../metrics.ts'
import type {Logger} from '../options.ts'
import type {EventStore} from '../store/events.ts'
import type {ExecutionStore} from '../store/executions.ts'
import type {Hub} from '../store/hub.ts'
import type {Access} from './access.ts'
import {acceptJson} from './bodies.ts'
import {answerErrors} from './errors.ts'
import {addControlRoutes} from './control.ts'
import {addEventRoute} from './events.ts'
import {addExecutionRoutes} from './executions.ts'
import {addServiceRoutes} from './service.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is. */
    identity: Identity
  }
}

/** What the routes are built on. */
export interface Services {
  readonly version: string
  readonly access: Access
  readonly admission: AdmissionOptions
  readonly approvals: Approvals
  readonly executions: ExecutionStore
  readonly events: EventStore
  readonly hub: Hub
  readonly executor: Executor
  readonly metrics: Metrics
  readonly heartbeatMs: number
  readonly pollMs: number
  readonly bodyLimit: number
  readonly logger: Logger
  /** Aborts when the runtime stops; event streams end then. */
  readonly stopping: AbortSignal
  isClosing(): boolean
}

/** To arrive in full, not to be answered. */
const REQUEST_TIMEOUT_MS = 60_000

export type App = ReturnType<typeof createApp>

/** The HTTP side of the runtime (protocol section 3 and our extras). */
export async function buildServer(services: Services): Promise<FastifyInstance> {
  const app = createApp(services)
  await app.register(helmet)
  acceptJson(app)
  answerErrors(app, services.logger)
  app.decorateRequest('identity')
  app.addHook('onRequest', async (request) => {
    request.identity = await services.access.authorize(request)
  })
  addServiceRoutes(app, services)
  addExecutionRoutes(app, services)
  addControlRoutes(app, services)
  addEventRoute(app, services)
  return app
}

function createApp(services: Services) {
  const app = Fastify({
    bodyLimit: services.bodyLimit,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    exposeHeadRoutes: false,
    logger: false,
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app
}
