import type {Finding} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'
import {placeholdersIn} from '@atomctl/wpk/parameters'
import type {Dispatcher} from 'undici'
import {CONDITION_FORM, evaluate, parseCondition} from '../expressions.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {buildRequest, isMethod, parseUrl, previewRequest, type HttpRequest} from './api-request.ts'
import {
  conditionProblem,
  expectedStatuses,
  judge,
  logBody,
  readBody,
  requestCondition,
  type HttpResponse,
} from './api-response.ts'
import {
  failure,
  finding,
  textOf,
  valuesOf,
  type Handler,
  type HandlerResult,
  type Plan,
  type PlanContext,
  type RunContext,
  type Scope,
} from './handler.ts'
import {checkPointers} from './outputs.ts'

/** The one method of a dispatcher that is used. */
export interface Sender {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
}

/** One HTTP request. Redirects are not followed: a redirect is a status like any other. */
export class ApiHandler implements Handler {
  readonly type = 'api'
  readonly #dispatcher: Sender

  constructor(dispatcher: Sender) {
    this.#dispatcher = dispatcher
  }

  check(spec: HandlerSpec): Finding[] {
    const {url, method, headers, expected_status: expected} = spec.config
    const findings: Finding[] = []
    const refuse = (field: string, message: string, hint?: string): void =>
      void findings.push(finding(`api-${field.replaceAll('_', '-')}`, `config.${field}`, message, hint))
    if (typeof url !== 'string' || url.trim() === '') refuse('url', 'An api handler needs a url')
    else if (placeholdersIn(url).length === 0 && !parseUrl(url)) refuse('url', `"${url}" is not an http or https URL`)
    if (method !== undefined && !isMethod(method)) refuse('method', `Unknown method ${textOf(method)}`)
    if (headers !== undefined && !isObject(headers)) refuse('headers', 'headers must be a mapping of names to texts')
    if (expected !== undefined && !expectedStatuses(expected)) refuse('expected_status', 'Expected a status or a list')
    const problem = conditionProblem(spec.config['condition'])
    if (problem) refuse('condition', problem, `Write ${CONDITION_FORM}`)
    if (spec.outputs !== undefined) findings.push(...checkPointers('api', spec.outputs))
    return findings
  }

  plan(spec: HandlerSpec, scope: Scope, {secrets = []}: PlanContext): Plan {
    const {lines, isOpen} = previewRequest(spec, scope, secrets)
    const condition = requestCondition(spec)
    const holds = condition === undefined || evaluate(parseCondition(condition), valuesOf(scope))
    if (holds === true) return {outcome: isOpen ? 'unknown' : 'ready', lines}
    if (holds === false) return {outcome: 'ready', lines: [`would send nothing, because ${condition} does not hold`]}
    return {outcome: 'unknown', lines: [`UNKNOWN whether ${condition} holds; if so it`, ...lines]}
  }

  async run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult> {
    const unsent = unsentRequest(spec, context)
    if (unsent) return unsent
    let request: HttpRequest
    try {
      request = buildRequest(spec, context)
    } catch (error) {
      return failure(isAtomError(error) ? error.message : 'the request cannot be built')
    }
    const started = performance.now()
    try {
      const response = await this.#send(request, context)
      const took = Math.round(performance.now() - started)
      context.log(
        'system',
        `${request.method} ${String(spec.config['url'])}: status ${response.status} after ${took} ms`,
      )
      logBody(context.secrets.redact(response.text), context)
      return judge(spec, response)
    } catch (error) {
      return failure(requestProblem(error, context))
    }
  }

  async #send(request: HttpRequest, context: RunContext): Promise<HttpResponse> {
    const {statusCode, body} = await this.#dispatcher.request({
      origin: request.url.origin,
      path: request.url.pathname + request.url.search,
      method: request.method,
      headers: request.headers,
      body: request.body ?? null,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(Math.min(context.timeoutMs, 2 ** 31 - 1))]),
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    return {status: statusCode, ...(await readBody(body, context.secrets))}
  }
}

/** The result when the condition of the request does not hold; undefined when it is to be sent. */
export function unsentRequest(
  spec: HandlerSpec,
  {scope, log}: Pick<RunContext, 'scope' | 'log'>,
): HandlerResult | undefined {
  const condition = requestCondition(spec)
  if (condition === undefined || evaluate(parseCondition(condition), valuesOf(scope)) === true) return undefined
  log('system', `the request is not sent, because ${condition} does not hold`)
  return {status: 'success', error: null, exitCode: null, httpStatus: null, output: '', outputs: {}}
}

/** Never the error's own text: it may repeat the address with a secret in it. */
function requestProblem(error: unknown, context: RunContext): string {
  if (context.signal.aborted) return 'stopped'
  const name = (error as {name?: unknown}).name
  if (name === 'TimeoutError') return `timed out after ${context.timeoutMs} ms`
  const code = (error as {code?: unknown}).code
  return `the request failed: ${typeof code === 'string' ? code : 'invalid request'}`
}
