import type {FastifyError, FastifyInstance, FastifyReply} from 'fastify'
import {isTransientStorageError} from '@atomctl/storage'
import {hasZodFastifySchemaValidationErrors} from 'fastify-type-provider-zod'
import type {Logger} from '../options.ts'
import {Refusal} from '../refusal.ts'

/** Every error leaves in the protocol's form (section 1.3); what went wrong inside stays inside. */
export function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({detail: 'Not Found', code: 'ENDPOINT_NOT_FOUND'}))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = error instanceof Refusal ? error : refusalFor(error)
    if (refusal) return answer(reply, refusal)
    if (isTransientStorageError(error)) {
      logger.warn({err: error, method: request.method, route: request.routeOptions.url}, 'the database is out of reach')
      return answer(reply, UNAVAILABLE)
    }
    logger.error({err: error, method: request.method, route: request.routeOptions.url}, 'request failed')
    return reply.code(500).send({detail: 'Internal Server Error'})
  })
}

/** Whether the request took effect is not known: that is what an Idempotency-Key is for. */
const UNAVAILABLE = new Refusal(
  503,
  {detail: 'The runtime cannot reach its database now', code: 'UNAVAILABLE'},
  {'retry-after': '2'},
)

export function answer(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply.code(refusal.status).headers(refusal.headers).send(refusal.body)
}

function refusalFor(error: FastifyError): Refusal | undefined {
  if (hasZodFastifySchemaValidationErrors(error))
    return new Refusal(422, {detail: items(error), code: 'REQUEST_REJECTED'})
  if (error.statusCode === 413) return new Refusal(413, {detail: 'The request is too large', code: 'REQUEST_REJECTED'})
  if (error.statusCode === 415) {
    const detail = [{loc: ['header', 'content-type'], msg: 'The body must be application/json', type: 'content_type'}]
    return new Refusal(422, {detail, code: 'REQUEST_REJECTED'})
  }
  const status = error.statusCode ?? 500
  return status >= 400 && status < 500
    ? new Refusal(status, {detail: error.message, code: 'REQUEST_REJECTED'})
    : undefined
}

function items(error: FastifyError): {loc: string[]; msg: string; type: string}[] {
  const place = error.validationContext ?? 'body'
  return (error.validation ?? []).map(({instancePath, message, keyword}) => ({
    loc: [place === 'querystring' ? 'query' : place, ...instancePath.split('/').filter((part) => part !== '')],
    msg: message ?? 'invalid',
    type: keyword,
  }))
}
