import {once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** What a test changes; everything else answers as an engine with one container that says hello and ends with 0. */
export type Faults = Readonly<Record<string, Answer>>

export const ID = 'c0ffee'.repeat(10) + 'c0ff'
export const IMAGE_ID = `sha256:${'1'.repeat(64)}`
export const DIGEST = `sha256:${'2'.repeat(64)}`

/**
 * Stands for a container engine that misbehaves, which a real one cannot be asked to. Keys of the faults are a method
 * and the end of a path: `POST /wait`.
 */
export class EngineDouble {
  readonly socket: string
  readonly calls: string[] = []
  readonly bodies: string[] = []
  faults: Faults = {}
  readonly #directory: string
  readonly #server: Server

  private constructor(directory: string) {
    this.#directory = directory
    this.socket = join(directory, 'engine.sock')
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(): Promise<EngineDouble> {
    const double = new EngineDouble(mkdtempSync(join(tmpdir(), 'engine-')))
    double.#server.listen(double.socket)
    await once(double.#server, 'listening')
    return double
  }

  /** As new. */
  reset(faults: Faults = {}): void {
    this.calls.length = 0
    this.bodies.length = 0
    this.faults = faults
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    rmSync(this.#directory, {recursive: true, force: true})
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const {pathname, search} = new URL(request.url ?? '/', 'http://engine')
    const call = `${request.method} ${pathname.replaceAll(ID, 'ID')}`
    this.calls.push(call + search)
    this.bodies.push(body)
    const all = {...SOUND, ...this.faults}
    const key = Object.keys(all).find((name) => {
      const [method, end = ''] = name.split(' ')
      return method === request.method && (pathname.endsWith(end) || pathname.replaceAll(ID, 'ID').endsWith(end))
    })
    if (key === undefined) json(404, {message: `no such route: ${call}`})(request, response, body)
    else all[key]?.(request, response, body)
  }
}

export function json(status: number, value: object): Answer {
  return (_request, response) =>
    void response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value))
}

export function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

/** Takes the question and never answers. */
export const hang: Answer = () => {}
/** Hangs up without a word. */
export const hangUp: Answer = (request) => void request.socket.destroy()
/** Begins to answer and hangs up. */
export const breakOff: Answer = (request, response) => {
  response.writeHead(200, {'content-type': 'application/json', 'content-length': '1000'})
  response.write('{"Id":', () => request.socket.destroy())
}
export const gone: Answer = (_request, response) => void response.writeHead(204).end()

export const state = (more: object = {}): object => ({
  Id: ID,
  State: {Status: 'exited', Running: false, ExitCode: 0, OOMKilled: false, ...more},
})

const SOUND: Faults = {
  'GET /containers/json': json(200, []),
  'POST /containers/create': json(201, {Id: ID, Warnings: []}),
  'POST /images/create': (_request, response) => void response.writeHead(200).end('{"status":"done"}\n'),
  'POST /start': gone,
  'POST /stop': gone,
  'POST /wait': json(200, {StatusCode: 0}),
  'GET /logs': (_request, response) => void response.writeHead(200).end(frame(1, 'hello\n')),
  'GET /containers/ID/json': json(200, state()),
  'GET /images/app:1/json': json(200, {Id: IMAGE_ID, RepoDigests: [`app@${DIGEST}`]}),
  'DELETE /ID': gone,
}
