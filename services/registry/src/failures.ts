import {explainStorageError} from '@atomctl/storage'
import type {FastifyError, FastifyInstance, FastifyReply, FastifyRequest} from 'fastify'
import {hasZodFastifySchemaValidationErrors} from 'fastify-type-provider-zod'
import {invalidInput, Refusal} from './refusal.ts'

/** Every answer that is no success leaves through here: JSON with `detail`, and never a stack trace. */
export function registerFailureHandlers(app: FastifyInstance): void {
  const routes = collectRoutes(app)
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.status >= 500 && refusal.status !== 501) request.log.error({err: error}, 'request failed')
    return send(reply, refusal)
  })
  app.setNotFoundHandler((request, reply) => send(reply, explainMissingRoute(request, routes)))
}

function send(reply: FastifyReply, {status, headers, body}: Refusal): FastifyReply {
  return reply.code(status).headers(headers).type('application/json').send(JSON.stringify(body))
}

/** SQLSTATE of text that PostgreSQL cannot hold: a null character, bare or escaped in JSON. */
const UNSTORABLE: ReadonlySet<string> = new Set(['22021', '22P05'])

function refusalOf(error: FastifyError): Refusal {
  if (error instanceof Refusal) return error
  if (hasZodFastifySchemaValidationErrors(error)) return describeValidation(error)
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new Refusal(413, 'Request body is too large', {code: 'REQUEST_REJECTED', cause: error})
  }
  if (error.statusCode === 415) return invalidInput(['body'], 'send JSON', 'type_error')
  if (error.statusCode === 400) return invalidInput(['body'], error.message, 'value_error.jsondecode')
  if (UNSTORABLE.has(error.code)) return invalidInput([], 'holds a null character', 'value_error.null')
  return describeStorageFailure(error) ?? new Refusal(500, 'Internal Server Error', {cause: error})
}

/** `loc` begins with where the value came from: body, query or path. */
function describeValidation(error: FastifyError): Refusal {
  const place = {body: 'body', querystring: 'query', params: 'path', headers: 'header'}[
    error.validationContext ?? 'body'
  ]
  const items = (error.validation ?? []).map(({instancePath, message = 'invalid', keyword}) => ({
    loc: [place ?? 'body', ...instancePath.split('/').filter((segment) => segment !== '')],
    msg: message,
    type: keyword,
  }))
  return new Refusal(422, items, {code: 'REQUEST_REJECTED'})
}

function describeStorageFailure(error: Error): Refusal | undefined {
  const known = explainStorageError(error, 'the registry')
  if (!known) return undefined
  const {code, message} = known
  return new Refusal(code === 'STORAGE_FULL' ? 507 : 503, message, {code, cause: error})
}

type Routes = Map<string, Set<string>>

function collectRoutes(app: FastifyInstance): Routes {
  const routes: Routes = new Map()
  app.addHook('onRoute', ({url, method}) => {
    const methods = routes.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    routes.set(url, methods)
  })
  return routes
}

/** 405 for a known path with another method, as the original; else the 404 that means a wrong base URL. */
function explainMissingRoute({url, method}: FastifyRequest, routes: Routes): Refusal {
  const path = url.split('?', 1)[0] ?? ''
  const found = [...routes].find(([pattern]) => matchesPath(pattern, path))
  if (!found || found[1].has(method)) return new Refusal(404, 'Not Found', {code: 'ENDPOINT_NOT_FOUND'})
  return new Refusal(405, 'Method Not Allowed', {headers: {allow: [...found[1]].join(', ')}})
}

function matchesPath(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.replace(/\/$/, '').split('/')]
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
}
