import type {Json, JsonObject} from '@atomctl/protocol/values'
import {AtomError} from '@atomctl/wpk/errors'
import {expandPlaceholders} from '@atomctl/wpk/parameters'
import type {Dispatcher} from 'undici'
import {isObject, type HandlerSpec} from '../program.ts'
import type {SecretNeed} from '../secrets/needs.ts'
import {MASK} from '../secrets/redactor.ts'
import {textOf, valuesOf, valuesWithSecrets, type RunContext, type Scope} from './handler.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod
  readonly url: URL
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

/** Throws PARAMETER_INVALID when the values make no request. */
export function buildRequest(
  spec: HandlerSpec,
  context: Pick<RunContext, 'scope' | 'idempotencyKey'> & Partial<Pick<RunContext, 'secrets'>>,
): HttpRequest {
  const values = valuesOf(context.scope)
  const open = valuesWithSecrets(context)
  const expand = (text: string): string => expandPlaceholders(text, open)
  const method = methodOf(spec)
  const template = String(spec.config['url'])
  const url = parseUrl(expandUrl(template, values))
  if (!url) throw new AtomError('PARAMETER_INVALID', `The parameters make no http or https URL of ${template}`)
  if (url.username || url.password)
    throw new AtomError('PARAMETER_INVALID', `${template} holds credentials; send an authorization header`)
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

/** What would be sent, as lines for people; header values may be secrets and stay out. */
export function previewRequest(
  spec: HandlerSpec,
  scope: Scope,
  secrets: readonly SecretNeed[],
): {lines: string[]; isOpen: boolean} {
  const values = valuesOf(scope)
  const masked = {...values, ...Object.fromEntries(secrets.map(({name}) => [name, MASK]))}
  const url = preview(String(spec.config['url']), values, expandUrl)
  const names = Object.keys(headersOf(spec))
  const headers = names.length > 0 ? [`headers: ${names.map((name) => `${name}: ***`).join(', ')}`] : []
  const payload = spec.config['payload']
  const body = payload === undefined ? 'no body' : `body: ${preview(textOf(payload), masked, expandPlaceholders)}`
  return {
    lines: [`would send ${methodOf(spec)} ${url}`, ...headers, body],
    isOpen: [url, body].some((text) => text.includes(UNKNOWN)),
  }
}

const UNKNOWN = '<unknown until it runs>'

function preview(text: string, values: JsonObject, expand: typeof expandUrl): string {
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
  const method = String(spec.config['method'] ?? 'GET').toUpperCase()
  return METHODS.find((known) => known === method) ?? 'GET'
}

export function isMethod(method: Json): boolean {
  return typeof method === 'string' && METHODS.some((known) => known === method.toUpperCase())
}

export function parseUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}
