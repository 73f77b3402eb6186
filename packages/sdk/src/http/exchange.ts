import {Readable} from 'node:stream'
import {setImmediate as nextTurn} from 'node:timers/promises'
import type {AtomError} from '../errors.ts'
import {type Deadline, startDeadline} from './deadline.ts'
import type {Connections} from './dispatcher.ts'
import {abortError, failureOf} from './failure.ts'
import type {Place} from './network-errors.ts'
import type {RequestBody, RequestSpec} from './options.ts'
import {notProtocol} from './response.ts'

/** One request on the wire, everything decided. */
export interface Outgoing {
  readonly method: RequestSpec['method']
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody | undefined
  readonly service: string
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
}

/** The head of an answer; `body` has to be read or discarded. */
export interface Incoming {
  readonly status: number
  /** The reason phrase, chosen by the service. */
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  readonly deadline: Deadline
  discard(): void
}

/** Sends one request and waits for the head of its answer. Throws a Failure, or an AtomError when aborted. */
export async function exchange(connections: Connections, outgoing: Outgoing): Promise<Incoming> {
  const {method, url, headers, body, signal, timeout, service} = outgoing
  const deadline = startDeadline(timeout, `The ${service} at ${url.origin}`, signal)
  const watched: Watched = {place: {origin: url.origin, proxy: connections.proxy}, deadline, signal}
  try {
    const answer = await connections.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: {...headers, ...(body ? bodyHeaders(body) : {})},
      body: body ? watch(body.open(), deadline) : null,
      signal: deadline.signal,
    })
    return {
      status: answer.statusCode,
      reason: answer.statusText,
      headers: flatten(answer.headers),
      body: guard(answer.body, watched),
      deadline,
      discard() {
        deadline.stop()
        answer.body.on('error', () => undefined).destroy()
      },
    }
  } catch (error) {
    deadline.stop()
    throw meaningOf(error, watched)
  }
}

/** What is needed to tell why an exchange ended. */
interface Watched {
  readonly place: Place
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
}

function bodyHeaders({contentType, length}: RequestBody): Record<string, string> {
  return {'content-type': contentType, 'content-length': String(length)}
}

/** Sending is progress: a slow upload is not a service that does not answer. */
function watch(content: ReturnType<RequestBody['open']>, deadline: Deadline): Uint8Array | Readable {
  if (content instanceof Uint8Array) return content
  return Readable.from(sending(content, deadline), {objectMode: false})
}

async function* sending(content: AsyncIterable<Uint8Array>, deadline: Deadline): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    deadline.extend()
    yield chunk
  }
  deadline.extend()
}

async function* guard(body: AsyncIterable<Uint8Array>, watched: Watched): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw meaningOf(error, watched)
  } finally {
    watched.deadline.stop()
  }
}

// The caller's abort wins over whatever error the closing socket makes of it; then our own deadline.
function meaningOf(error: unknown, {place, deadline, signal}: Watched): unknown {
  if (signal?.aborted) return abortError(signal)
  return failureOf(deadline.signal.aborted ? deadline.signal.reason : error, place)
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

/** The whole body of an answer; throws PROTOCOL as soon as it is longer than `maxBytes`. */
export async function readBody(
  incoming: Incoming,
  maxBytes: number,
  where: {origin: string; service: string},
): Promise<Uint8Array> {
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > maxBytes) throw tooLong(incoming, maxBytes, where)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of incoming.body) {
    size += chunk.length
    if (size > maxBytes) throw tooLong(incoming, maxBytes, where)
    chunks.push(chunk)
  }
  // undici hands the connection back one turn later; a request sent before that would open another one, and a
  // waiting client has to stay on one (protocol section 7).
  await nextTurn()
  return Buffer.concat(chunks)
}

function tooLong(incoming: Incoming, maxBytes: number, where: {origin: string; service: string}): AtomError {
  incoming.discard()
  return notProtocol(where, `answered more than ${Math.floor(maxBytes / 1024)} KiB`)
}
