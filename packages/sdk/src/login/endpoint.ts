import {isIP} from 'node:net'
import type * as z from 'zod'
import {AtomError, isAtomError} from '../errors.ts'
import {type HttpClient, type HttpResponse, readJson} from '../http/index.ts'

const LIMIT = 256 * 1024
/** OAuth says no with 400 or 401 and a reason that only its caller understands; Vault with 400, 403 and 404. */
const REFUSALS = [400, 401, 403, 404]

/**
 * Where secrets may go: https, or this machine.
 * @throws USAGE; `what` names the address
 */
export function secureUrl(text: string, what: string, code: 'USAGE' | 'LOGIN_FAILED' = 'USAGE'): URL {
  const url = URL.parse(text)
  const bad = (why: string): AtomError => new AtomError(code, `${what} ${why}`, {hint: 'give an https URL'})
  if (!url || !/^https?:$/.test(url.protocol)) throw bad('is no https URL')
  if (url.username || url.password || url.hash) throw bad('holds a user name, a password or a fragment')
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw bad(`is http, which anybody on the way can read: ${url.origin}`)
  }
  return url
}

function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

export interface Ask {
  readonly http: HttpClient
  readonly service: string
  readonly signal?: AbortSignal | undefined
}

/** Sends a form (RFC 6749 appendix B); success and refusal are both answers. */
export function postForm({http, service, signal}: Ask, url: URL, fields: Fields): Promise<HttpResponse> {
  return send(
    {http, service, signal},
    url,
    'application/x-www-form-urlencoded',
    new URLSearchParams(defined(fields)).toString(),
  )
}

export function postJson(
  ask: Ask,
  url: URL,
  value: unknown,
  headers: Record<string, string> = {},
): Promise<HttpResponse> {
  return send(ask, url, 'application/json', JSON.stringify(value), headers)
}

export function get(ask: Ask, url: URL, headers: Record<string, string> = {}): Promise<HttpResponse> {
  const {http, service, signal} = ask
  const query = Object.fromEntries(url.searchParams)
  return withoutEcho(
    service,
    http.request(
      {baseUrl: url.origin, signal},
      {method: 'GET', path: url.pathname, query, headers, service, maxBytes: LIMIT, accepts: REFUSALS},
    ),
  )
}

function send(
  {http, service, signal}: Ask,
  url: URL,
  contentType: string,
  text: string,
  headers = {},
): Promise<HttpResponse> {
  const bytes = Buffer.from(text)
  const query = Object.fromEntries(url.searchParams)
  const body = {contentType, length: bytes.length, open: () => bytes}
  return withoutEcho(
    service,
    http.request(
      {baseUrl: url.origin, signal},
      {method: 'POST', path: url.pathname, query, headers, body, service, maxBytes: LIMIT, accepts: REFUSALS},
    ),
  )
}

/** What was sent holds secrets of many kinds, and a server may echo any of them: of its failure only the status is told. */
async function withoutEcho(service: string, response: Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await response
  } catch (error) {
    const status = isAtomError(error) ? error.details?.['status'] : undefined
    if (!isAtomError(error) || typeof status !== 'number') throw error
    throw new AtomError(error.code, `The ${service} answered ${status}`, {details: {status}})
  }
}

export type Fields = Readonly<Record<string, string | undefined>>

function defined(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined))
}

export function isSuccess({status}: HttpResponse): boolean {
  return status < 300
}

/** @throws PROTOCOL */
export function read<T>(response: HttpResponse, schema: z.ZodType<T>): T {
  return readJson(response, schema)
}
