import type {Json, JsonObject} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import {AtomError, isAtomError} from '@atomctl/wpk/errors'
import {expandPlaceholders, placeholdersIn} from '@atomctl/wpk/parameters'
import type {Dispatcher} from 'undici'
import {CONDITION_FORM, evaluate, namesIn, parseCondition} from '../expressions.ts'
import {HeadAndTail} from '../process/output.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {
  failure,
  finding,
  textOf,
  valuesOf,
  type Handler,
  type HandlerResult,
  type Plan,
  type RunContext,
  type Scope,
} from './handler.ts'
import {isPointer, nameProblem, resolvePointer} from './outputs.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
/** Of a response body; more is read off the wire no further. */
const LARGEST_BODY = 1024 * 1024
const LOGGED_CHARACTERS = 4096

interface HttpRequest {
  readonly method: Dispatcher.HttpMethod
  readonly url: URL
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

interface HttpResponse {
  readonly status: number
  readonly text: string
  readonly output: string
  readonly complete: boolean
}

/** One HTTP request. Redirects are not followed: a redirect is a status like any other. */
export class ApiHandler implements Handler {
  readonly type = 'api'
  readonly #dispatcher: () => Promise<Dispatcher>

  constructor(dispatcher: () => Promise<Dispatcher>) {
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
    if (spec.outputs !== undefined) findings.push(...checkOutputs(spec.outputs))
    return findings
  }

  plan(spec: HandlerSpec, scope: Scope): Plan {
    const values = valuesOf(scope)
    const method = methodOf(spec)
    const url = preview(String(spec.config['url']), values, expandUrl)
    const headers = Object.keys(headersOf(spec)).map((name) => `${name}: ***`)
    const body =
      spec.config['payload'] === undefined ? 'no body' : `body: ${preview(textOf(spec.config['payload']), values)}`
    const lines = [
      `would send ${method} ${url}`,
      ...(headers.length > 0 ? [`headers: ${headers.join(', ')}`] : []),
      body,
    ]
    const isOpen = [url, body].some((text) => text.includes(UNKNOWN))
    return {outcome: isOpen ? 'unknown' : 'ready', lines}
  }

  async run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult> {
    const condition = requestCondition(spec)
    if (condition !== undefined && evaluate(parseCondition(condition), valuesOf(context.scope)) !== true) {
      context.log('system', `the request is not sent, because ${condition} does not hold`)
      return {status: 'success', error: null, exitCode: null, httpStatus: null, output: '', outputs: {}}
    }
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
      if (response.text !== '') context.log('stdout', response.text.slice(0, LOGGED_CHARACTERS))
      return judge(spec, response)
    } catch (error) {
      return failure(requestProblem(error, context))
    }
  }

  async #send(request: HttpRequest, context: RunContext): Promise<HttpResponse> {
    const dispatcher = await this.#dispatcher()
    const {statusCode, body} = await dispatcher.request({
      origin: request.url.origin,
      path: request.url.pathname + request.url.search,
      method: request.method,
      headers: request.headers,
      body: request.body ?? null,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(Math.min(context.timeoutMs, 2 ** 31 - 1))]),
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    return {status: statusCode, ...(await readBody(body))}
  }
}

async function readBody(body: AsyncIterable<Buffer>): Promise<Omit<HttpResponse, 'status'>> {
  const output = new HeadAndTail()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    output.push(chunk)
    size += chunk.length
    if (size > LARGEST_BODY) break
    chunks.push(chunk)
  }
  return {text: Buffer.concat(chunks).toString('utf8'), output: output.text, complete: size <= LARGEST_BODY}
}

function buildRequest(spec: HandlerSpec, context: RunContext): HttpRequest {
  const values = valuesOf(context.scope)
  const expand = (text: string): string => expandPlaceholders(text, values)
  const method = methodOf(spec)
  const url = parseUrl(expandUrl(String(spec.config['url']), values))
  if (!url) throw new TypeError('not a URL')
  const payload = spec.config['payload']
  const headers: Record<string, string> = {}
  if (isObject(payload) || Array.isArray(payload)) headers['content-type'] = 'application/json'
  if (method !== 'GET' && method !== 'HEAD') headers['idempotency-key'] = context.idempotencyKey
  for (const [name, text] of Object.entries(headersOf(spec))) headers[name.toLowerCase()] = expand(text)
  const body = payload === undefined ? undefined : textOf(expandAll(payload, expand))
  return {method, url, headers, body}
}

/**
 * Only the address itself may come whole out of a value: inside path and query a value is data, so what would start
 * another segment or parameter is percent-encoded.
 */
export function expandUrl(text: string, values: JsonObject): string {
  const [, address = '', rest = ''] = /^(\$\{[^}]+\}|https?:\/\/[^/?#]*)(.*)$/s.exec(text) ?? ['', '', text]
  const encoded = Object.entries(values).map(([name, value]) => [name, encodeURIComponent(textOf(value))] as const)
  const start = expandPlaceholders(address, values)
  if (!address.startsWith('$') && /[/?#@\\\s]/.test(start.replace(/^https?:\/\//, '')))
    throw new AtomError('PARAMETER_INVALID', `A parameter changes more than the host in ${text}`)
  return start + expandPlaceholders(rest, Object.fromEntries(encoded))
}

/** Placeholders are expanded inside the strings of a JSON payload, so that a value cannot change its structure. */
function expandAll(value: Json, expand: (text: string) => string): Json {
  if (typeof value === 'string') return expand(value)
  if (Array.isArray(value)) return value.map((item) => expandAll(item, expand))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expandAll(item, expand)]))
}

function judge(spec: HandlerSpec, response: HttpResponse): HandlerResult {
  const {status, output} = response
  const facts = {httpStatus: status, output}
  const expected = expectedStatuses(spec.config['expected_status'])
  if (expected ? !expected.includes(status) : status < 200 || status > 299) {
    return failure(`status ${status}, expected ${expected ? expected.join(' or ') : '2xx'}`, facts)
  }
  const body = parseBody(response)
  const condition = responseCondition(spec)
  if (condition !== undefined && evaluate(parseCondition(condition), {status, body: body ?? null}) !== true) {
    return failure(`the response does not satisfy ${condition}`, facts)
  }
  const outputs: Record<string, string> = {}
  for (const [name, pointer] of Object.entries(isObject(spec.outputs) ? spec.outputs : {})) {
    const value = body === undefined ? undefined : resolvePointer(body, String(pointer))
    if (value === undefined) return failure(`the response has nothing at ${String(pointer)} for output ${name}`, facts)
    outputs[name] = textOf(value)
  }
  return {status: 'success', error: null, exitCode: null, outputs, ...facts}
}

function parseBody({text, complete}: HttpResponse): Json | undefined {
  if (!complete) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** Never the error's own text: it may repeat the address with a secret in it. */
function requestProblem(error: unknown, context: RunContext): string {
  if (context.signal.aborted) return 'stopped'
  const name = (error as {name?: unknown}).name
  if (name === 'TimeoutError') return `timed out after ${context.timeoutMs} ms`
  const code = (error as {code?: unknown}).code
  return `the request failed: ${typeof code === 'string' ? code : 'invalid request'}`
}

const UNKNOWN = '<unknown until it runs>'

function preview(text: string, values: JsonObject, expand: typeof expandUrl = expandPlaceholders): string {
  try {
    return expand(text, values)
  } catch {
    return `${text} ${UNKNOWN}`
  }
}

function headersOf(spec: HandlerSpec): Record<string, string> {
  const headers = spec.config['headers']
  if (!isObject(headers)) return {}
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)]))
}

function methodOf(spec: HandlerSpec): Dispatcher.HttpMethod {
  const method = spec.config['method']
  return method !== undefined && isMethod(method) ? (String(method).toUpperCase() as Dispatcher.HttpMethod) : 'GET'
}

function isMethod(method: Json): boolean {
  return typeof method === 'string' && METHODS.some((known) => known === method.toUpperCase())
}

function parseUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

function expectedStatuses(value: Json | undefined): number[] | undefined {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value]
  const isStatus = (item: Json): item is number => Number.isInteger(item) && Number(item) >= 100 && Number(item) <= 599
  return list.length > 0 && list.every(isStatus) ? list : undefined
}

/** A condition on parameters and outputs: when it does not hold, no request is made. */
export function requestCondition(spec: HandlerSpec): string | undefined {
  const {condition} = spec.config
  return typeof condition === 'string' && !isAboutResponse(condition) ? condition : undefined
}

/** A condition on `status` and `body`: the response must satisfy it. */
function responseCondition(spec: HandlerSpec): string | undefined {
  const {condition} = spec.config
  return typeof condition === 'string' && isAboutResponse(condition) ? condition : undefined
}

const RESPONSE_NAMES: ReadonlySet<string> = new Set(['status', 'body'])

function isAboutResponse(condition: string): boolean {
  return namesIn(parseCondition(condition)).some((name) => RESPONSE_NAMES.has(name))
}

function conditionProblem(condition: Json | undefined): string | undefined {
  if (condition === undefined) return undefined
  if (typeof condition !== 'string') return 'condition must be a text'
  try {
    const foreign = namesIn(parseCondition(condition)).filter((name) => !RESPONSE_NAMES.has(name))
    if (foreign.length === 0 || !isAboutResponse(condition)) return undefined
    return `condition mixes the response with ${foreign.join(', ')}, which is known before the request`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function checkOutputs(outputs: Json): Finding[] {
  if (!isObject(outputs)) return [finding('api-outputs', 'outputs', 'outputs must map names to JSON pointers')]
  return Object.entries(outputs).flatMap(([name, pointer]) => {
    const problem = nameProblem(name) ?? (isPointer(pointer) ? undefined : 'is not a JSON pointer like /data/id')
    return problem ? [finding('api-outputs', `outputs.${name}`, `Output "${name}" ${problem}`)] : []
  })
}
