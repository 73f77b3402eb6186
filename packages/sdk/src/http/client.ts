import {AtomError, isAtomError} from '../errors.ts'
import {pause, systemClock} from './clock.ts'
import {type Connections, openConnections} from './dispatcher.ts'
import {exchange, type Incoming, type Outgoing, readBody} from './exchange.ts'
import {abortError, Failure} from './failure.ts'
import type {HttpOptions, RequestSpec, StreamSpec, Target} from './options.ts'
import {followedTo, isRedirect} from './redirect.ts'
import {rejectionOf} from './rejection.ts'
import {type HttpResponse, type HttpStream, notProtocol} from './response.ts'
import {delayBefore, isRetryableStatus, parseRetryAfter} from './retry.ts'
import {showHeaders} from './trace.ts'

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
const ERROR_MAX_BYTES = 1024 * 1024

/**
 * HTTP for the service clients: timeouts, retries, redirects, limits and errors in one place. Every method throws
 * AtomError only, and never with a token, a header or a raw body in it.
 */
export interface HttpClient {
  /** A success answer, read completely. Error statuses are thrown (`rejection.ts`). */
  request(target: Target, spec: RequestSpec): Promise<HttpResponse>
  /** A success answer whose body is read by the caller. Nothing is retried once the head has arrived. */
  stream(target: Target, spec: StreamSpec): Promise<HttpStream>
  /** Drops all connections; requests under way fail. */
  close(): Promise<void>
}

export function createHttpClient(options: HttpOptions): HttpClient {
  const opened = new Map<string, Promise<Connections>>()
  const connectionsFor = (protocol: string): Promise<Connections> => {
    const known = opened.get(protocol) ?? openConnections(protocol, options)
    opened.set(protocol, known)
    return known
  }
  const sender = {options, connectionsFor}
  return {
    request: (target, spec) =>
      withRetries(sender, target, spec, async () => readAnswer(await open(sender, target, spec), spec)),
    stream: (target, spec) =>
      withRetries(sender, target, spec, async () => streamAnswer(await open(sender, target, spec), spec, options)),
    async close() {
      const connections = await Promise.all(opened.values())
      opened.clear()
      await Promise.all(connections.map((one) => one.destroy()))
    },
  }
}

interface Sender {
  readonly options: HttpOptions
  connectionsFor(protocol: string): Promise<Connections>
}

/** A success answer together with the request it belongs to (the last one when redirected). */
interface Exchanged {
  readonly incoming: Incoming
  readonly outgoing: Outgoing
}

/** Runs attempts until one succeeds or must not be repeated. Only idempotent requests are ever sent twice. */
async function withRetries<T>(
  {options}: Sender,
  target: Target,
  spec: RequestSpec,
  attempt: () => Promise<T>,
): Promise<T> {
  const {clock = systemClock, random = Math.random, retry} = options
  const idempotent = spec.idempotent ?? spec.method === 'GET'
  const signal = signalOf(target, spec)
  for (let next = 2; ; next++) {
    try {
      if (signal?.aborted) throw abortError(signal)
      return await attempt()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const delay = idempotent ? delayBefore(next, error, retry, random) : undefined
      if (delay === undefined) throw error.error
      options.debug?.(`retry in ${delay} ms, attempt ${next} of ${retry.maxAttempts}: ${error.error.message}`)
      await pause(clock, delay, signal)
    }
  }
}

/** One attempt: sends, follows redirects within the origin, throws a Failure for error statuses. */
async function open(sender: Sender, target: Target, spec: RequestSpec): Promise<Exchanged> {
  let outgoing = prepare(sender.options, target, spec)
  for (let redirects = 0; ; redirects++) {
    const incoming = await send(sender, outgoing)
    if (!isRedirect(incoming.status)) return accept(incoming, outgoing, {target, spec}, sender.options)
    incoming.discard()
    outgoing = {...outgoing, url: followedTo(incoming.headers['location'], outgoing, redirects)}
  }
}

async function send({options, connectionsFor}: Sender, outgoing: Outgoing): Promise<Incoming> {
  const {method, url, headers} = outgoing
  options.debug?.(`> ${method} ${url.origin}${url.pathname} (${showHeaders(headers)})`)
  const started = performance.now()
  const incoming = await exchange(await connectionsFor(url.protocol), outgoing)
  const took = Math.round(performance.now() - started)
  options.debug?.(`< ${incoming.status} after ${took} ms (${showHeaders(incoming.headers)})`)
  return incoming
}

function signalOf({signal}: Target, spec: RequestSpec): AbortSignal | undefined {
  return signal && spec.signal ? AbortSignal.any([signal, spec.signal]) : (signal ?? spec.signal)
}

function prepare(options: HttpOptions, target: Target, spec: RequestSpec): Outgoing {
  const {baseUrl, token} = target
  const url = new URL(baseUrl + spec.path)
  for (const [name, value] of Object.entries(spec.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return {
    method: spec.method,
    url,
    headers: {
      accept: 'application/json',
      'user-agent': options.userAgent,
      ...spec.headers,
      ...(token === undefined ? {} : {authorization: `Bearer ${checkToken(token)}`}),
    },
    body: spec.body,
    service: spec.service ?? 'service',
    timeout: options.requestTimeout,
    signal: signalOf(target, spec),
  }
}

// A line break in a token would be a second header; anything outside ASCII cannot be sent at all.
function checkToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new AtomError(
    'CONFIG_INVALID',
    'The token is empty or has characters that cannot be sent (spaces, line breaks)',
    {
      hint: 'atomctl config --auth-token - < token.txt',
    },
  )
}

async function accept(
  incoming: Incoming,
  outgoing: Outgoing,
  {target, spec}: {target: Target; spec: RequestSpec},
  options: HttpOptions,
): Promise<Exchanged> {
  const where = {origin: outgoing.url.origin, service: outgoing.service}
  const refused = incoming.status >= 400 && !spec.accepts?.includes(incoming.status)
  if (refused) throw await rejected(incoming, outgoing, target, options)
  const encoding = incoming.headers['content-encoding'] ?? 'identity'
  const expected = incoming.status >= 400 || (incoming.status >= 200 && incoming.status < 300)
  if (expected && encoding === 'identity') return {incoming, outgoing}
  incoming.discard()
  throw notProtocol(
    where,
    encoding === 'identity' ? `answered ${incoming.status}` : 'answered compressed, which nobody asked for',
  )
}

async function rejected(
  incoming: Incoming,
  outgoing: Outgoing,
  target: Target,
  options: HttpOptions,
): Promise<Failure> {
  const where = {origin: outgoing.url.origin, service: outgoing.service}
  const {status, reason, headers} = incoming
  const bytes = await readBody(incoming, ERROR_MAX_BYTES, where).catch(unreadable)
  const text = Buffer.from(bytes).toString('utf8')
  const contentType = headers['content-type'] ?? ''
  const error = rejectionOf({
    status,
    reason,
    contentType,
    text,
    path: outgoing.url.pathname,
    secret: target.token,
    ...where,
  })
  const retryAfter = parseRetryAfter(headers['retry-after'], (options.clock ?? systemClock).now())
  return new Failure(error, isRetryableStatus(status), {status, retryAfter})
}

// The status alone says enough when the body of an error is cut off; an interruption still has to get through.
function unreadable(error: unknown): Uint8Array {
  if (isAtomError(error) && error.code !== 'PROTOCOL') throw error
  return new Uint8Array()
}

async function readAnswer({incoming, outgoing}: Exchanged, spec: RequestSpec): Promise<HttpResponse> {
  const where = {origin: outgoing.url.origin, service: outgoing.service}
  const bytes = await readBody(incoming, spec.maxBytes ?? DEFAULT_MAX_BYTES, where)
  return {status: incoming.status, headers: incoming.headers, bytes, ...where}
}

function streamAnswer({incoming}: Exchanged, spec: StreamSpec, {requestTimeout}: HttpOptions): HttpStream {
  const idle = spec.idleTimeout ?? requestTimeout
  incoming.deadline.extend(idle)
  return {
    status: incoming.status,
    headers: incoming.headers,
    body: keepWatching(incoming, idle),
    discard: incoming.discard,
  }
}

async function* keepWatching({body, deadline, discard}: Incoming, idle: number): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of body) {
      deadline.extend(idle)
      yield chunk
      // What the consumer takes to digest a chunk is not the service's silence.
      deadline.extend(idle)
    }
  } catch (error) {
    throw error instanceof Failure ? error.error : error
  } finally {
    discard()
  }
}
