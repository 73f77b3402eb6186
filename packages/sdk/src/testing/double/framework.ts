import type {IncomingMessage, ServerResponse} from 'node:http'
import {type Recorded, record} from '../fault-server.ts'

/**
 * Which web framework the double answers like (protocol section 1.6): `measured` FastAPI 0.92 with pydantic 1, `pinned`
 * the versions the services name (0.104, pydantic 2.5), `current` a FastAPI of today.
 */
export type FrameworkVersion = 'measured' | 'pinned' | 'current'

export interface Answer {
  readonly status: number
  /** Sent as JSON, or as text/plain when a string. */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that is thrown. */
export class Rejected extends Error {
  readonly answer: Answer

  constructor(status: number, detail: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`${status}`)
    this.answer = {status, body: {detail}, headers}
  }
}

export interface Call {
  readonly request: Recorded
  readonly query: URLSearchParams
  /** What the path's group matched, decoded. */
  readonly id: string
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: RegExp
  handle(call: Call): Answer
}

export const ok = (body: unknown): Answer => ({status: 200, body})

/** What an exception nobody caught becomes. */
export const CRASH: Answer = {status: 500, body: 'Internal Server Error'}

/** Answers one request by the routes, the way Starlette does: 307 for a trailing slash, 405 with `allow`, 404. */
export async function dispatch(
  routes: readonly Route[],
  incoming: IncomingMessage,
  response: ServerResponse,
  onRequest: (request: Recorded) => void,
): Promise<void> {
  const request = await record(incoming)
  onRequest(request)
  const {status, body, headers} = answer(routes, request)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  const content = text === '' ? {} : {'content-type': type}
  response.writeHead(status, {server: 'uvicorn', ...content, 'content-length': Buffer.byteLength(text), ...headers})
  response.end(text)
}

function answer(routes: readonly Route[], request: Recorded): Answer {
  const [rawPath = '', search = ''] = request.url.split(/\?(.*)/s)
  try {
    const path = decodeURIComponent(rawPath)
    const here = routes.filter((route) => route.path.test(path))
    const route = here.find(({method}) => method === request.method)
    if (route) return route.handle({request, query: new URLSearchParams(search), id: route.path.exec(path)?.[1] ?? ''})
    if (here.length > 0)
      throw new Rejected(405, 'Method Not Allowed', {allow: here.map(({method}) => method).join(', ')})
    if (path.endsWith('/') && routes.some((one) => one.path.test(path.slice(0, -1))))
      return slashRedirect(request, rawPath, search)
    throw new Rejected(404, 'Not Found')
  } catch (error) {
    return error instanceof Rejected ? error.answer : CRASH
  }
}

function slashRedirect({headers}: Recorded, path: string, search: string): Answer {
  const location = `http://${headers['host']}${path.replace(/\/$/, '')}${search === '' ? '' : `?${search}`}`
  return {status: 307, body: '', headers: {location}}
}

/** Passes any non-empty bearer token, like the original; the refusal depends on the framework. */
export function requireBearer({headers}: Recorded, version: FrameworkVersion): void {
  const [scheme = '', token = ''] = (headers['authorization'] ?? '').split(/ (.*)/s)
  const present = scheme !== '' && token !== ''
  if (present && scheme.toLowerCase() === 'bearer') return
  if (version === 'current') throw new Rejected(401, 'Not authenticated', {'www-authenticate': 'Bearer'})
  throw new Rejected(403, present ? 'Invalid authentication credentials' : 'Not authenticated')
}

type Problem = 'missing' | 'string' | 'object' | 'boolean' | 'integer' | 'upload'

const PYDANTIC_1: Readonly<Record<Problem, [type: string, message: string]>> = {
  missing: ['value_error.missing', 'field required'],
  string: ['type_error.str', 'str type expected'],
  object: ['type_error.dict', 'value is not a valid dict'],
  boolean: ['type_error.bool', 'value could not be parsed to a boolean'],
  integer: ['type_error.integer', 'value is not a valid integer'],
  upload: ['value_error', "Expected UploadFile, received: <class 'str'>"],
}

const PYDANTIC_2: Readonly<Record<Problem, [type: string, message: string]>> = {
  missing: ['missing', 'Field required'],
  string: ['string_type', 'Input should be a valid string'],
  object: ['dict_type', 'Input should be a valid dictionary'],
  boolean: ['bool_parsing', 'Input should be a valid boolean, unable to interpret input'],
  integer: ['int_parsing', 'Input should be a valid integer, unable to parse string as an integer'],
  upload: ['value_error', "Value error, Expected UploadFile, received: <class 'str'>"],
}

/** A 422 in the shape of the version (protocol section 1.6); `input` echoes what was sent. */
export function invalid(
  version: FrameworkVersion,
  problem: Problem,
  loc: readonly (string | number)[],
  input: unknown = null,
): Rejected {
  const [type, msg] = (version === 'measured' ? PYDANTIC_1 : PYDANTIC_2)[problem]
  if (version === 'measured') return new Rejected(422, [{loc, msg, type}])
  const url = version === 'pinned' ? {url: `https://errors.pydantic.dev/2.5/v/${type}`} : {}
  return new Rejected(422, [{type, loc, msg, input, ...url}])
}

/** A JSON object body; undefined when there is none. */
export function jsonObject(request: Recorded, version: FrameworkVersion): Record<string, unknown> | undefined {
  if (request.body.length === 0) return undefined
  const type = request.headers['content-type']
  if (type !== undefined && !/^application\/(\S+\+)?json\b/.test(type)) throw invalid(version, 'object', ['body'], null)
  const value = parse(request.body.toString(), version)
  if (Array.isArray(value) && value.length === 0 && version === 'measured') return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(version, 'object', ['body'], value)
}

function parse(text: string, version: FrameworkVersion): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const context = {msg: 'Expecting value', doc: text, pos: 0, lineno: 1, colno: 1}
    const old = {
      loc: ['body', 0],
      msg: 'Expecting value: line 1 column 1 (char 0)',
      type: 'value_error.jsondecode',
      ctx: context,
    }
    const now = {
      type: 'json_invalid',
      loc: ['body', 0],
      msg: 'JSON decode error',
      input: {},
      ctx: {error: 'Expecting value'},
    }
    throw new Rejected(422, [version === 'measured' ? old : now])
  }
}

/** Python's `datetime.utcnow().isoformat()`: microseconds, no zone mark. */
export function naiveNow(): string {
  const microseconds = String(process.hrtime.bigint() % 1000n).padStart(3, '0')
  return new Date().toISOString().replace('Z', microseconds)
}
