import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo, Socket} from 'node:net'

/** A request as a test server received it. */
export interface Recorded {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** How the server treats one request, whose body has arrived. */
export type Behaviour = (request: Recorded, response: ServerResponse, socket: Socket) => void

export interface FaultServer {
  readonly url: string
  readonly requests: readonly Recorded[]
  /** Sockets accepted so far. */
  readonly connections: () => number
  /** Resolves when a request has arrived that makes `count` in all. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

/**
 * A loopback server that misbehaves as told: the first request gets the first behaviour, the last behaviour repeats.
 * For what no mock shows: hanging, resetting, truncating, redirecting, lying.
 */
export async function startFaultServer(...script: readonly Behaviour[]): Promise<FaultServer> {
  const requests: Recorded[] = []
  const waiting: {count: number; resolve: () => void}[] = []
  let connections = 0
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const recorded = await record(request)
    requests.push(recorded)
    script[Math.min(requests.length, script.length) - 1]?.(recorded, response, request.socket)
    for (const {count, resolve} of waiting) if (requests.length >= count) resolve()
  }
  // A client that goes away in the middle of its request is what many of these tests are about.
  const server = createServer((request, response) => void serve(request, response).catch(() => undefined))
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    received: (count) =>
      new Promise((resolve) => (requests.length >= count ? resolve() : waiting.push({count, resolve}))),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Reads a request completely. */
export async function record(request: IncomingMessage): Promise<Recorded> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks),
  }
}

/** A port of this machine that refuses connections. */
export async function refusedUrl(): Promise<string> {
  const server = await startFaultServer()
  await server.close()
  return server.url
}

/** An answer; objects are sent as JSON. */
export function reply(status: number, body: unknown = '', headers: Readonly<Record<string, string>> = {}): Behaviour {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const type = typeof body === 'string' || body instanceof Uint8Array ? 'text/plain; charset=utf-8' : 'application/json'
  return (_request, response) => void response.writeHead(status, {'content-type': type, ...headers}).end(text)
}

/** Never answers. */
export const hang: Behaviour = () => undefined

/** Resets the connection (RST) without an answer. */
export const reset: Behaviour = (_request, _response, socket) => void socket.resetAndDestroy()

/** Closes the connection (FIN) without an answer. */
export const hangUp: Behaviour = (_request, _response, socket) => void socket.end()

/** Announces `length` bytes, sends `body` and closes. */
export function truncate(body: string, length: number): Behaviour {
  return (_request, response, socket) => {
    response.writeHead(200, {'content-type': 'application/json', 'content-length': String(length)})
    response.write(body, () => socket.end())
  }
}

/** Sends a chunked body and closes before the last chunk. */
export function cutChunks(body: string, contentType = 'application/json'): Behaviour {
  return (_request, response, socket) => {
    response.writeHead(200, {'content-type': contentType, 'transfer-encoding': 'chunked'})
    response.write(body, () => socket.end())
  }
}

/** Sends the head and some of the body, then nothing more. */
export function stall(body: string, contentType = 'application/json'): Behaviour {
  return (_request, response) => void response.writeHead(200, {'content-type': contentType}).write(body)
}

/** Sends a body without end, as fast as it is read. */
export const flood: Behaviour = (_request, response) => {
  response.writeHead(200, {'content-type': 'application/json'})
  const chunk = Buffer.alloc(64 * 1024, '[')
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', pour)
  pour()
}

/** Sends a byte of the body every `interval` milliseconds. */
export function drip(body: string, interval: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, {'content-type': 'application/json', 'content-length': String(body.length)})
    let sent = 0
    const timer = setInterval(() => {
      response.write(body.charAt(sent++))
      if (sent === body.length) response.end()
    }, interval)
    response.on('close', () => clearInterval(timer))
  }
}

/** Sends these bytes, HTTP or not, and closes. */
export function raw(text: string): Behaviour {
  return (_request, _response, socket) => void socket.end(text)
}

export function redirect(location: string, status = 307): Behaviour {
  return reply(status, '', {location})
}
