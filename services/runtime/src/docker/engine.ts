import type {Json} from '@atomctl/protocol/values'
import {Agent, type Dispatcher} from 'undici'
import {parseJson, valueAt} from '../kubernetes/values.ts'
import type {Endpoint} from './endpoint.ts'

const CONNECT_MS = 5_000
/** Of a call that has no reason to take longer. */
const CALL_MS = 30_000
const LARGEST_ANSWER = 4 * 1024 * 1024
const LONGEST_MESSAGE = 400

/**
 * - Unreachable: nobody answers, or hung up before answering: worth retrying
 * - TimedOut, Stopped: the time that the caller gave is over, or the caller stopped it
 * - NotFound, Conflict, Refused: the engine's own word
 * - Broken: an answer that no engine gives
 */
export type EngineProblem = 'Unreachable' | 'TimedOut' | 'Stopped' | 'NotFound' | 'Conflict' | 'Refused' | 'Broken'

export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly reason: EngineProblem

  constructor(reason: EngineProblem, message: string) {
    super(message)
    this.reason = reason
  }
}

export interface Call {
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  readonly signal: AbortSignal
  /** Default 30 s; Infinity for what ends when the container does. */
  readonly limitMs?: number
}

/**
 * The few calls of the Docker Engine API that one container needs, over undici, which is here anyway. (dockerode
 * brings 56 packages and 19 MB, ssh2 with an install script and gRPC among them, and takes 150 ms to load.) Paths name
 * no API version: every engine then answers in its own, and the newest refuse old ones.
 * https://docs.docker.com/reference/api/engine/
 */
export class ContainerEngine {
  readonly #agent: Agent
  readonly #origin: string
  readonly #place: string

  constructor(endpoint: Endpoint) {
    const isSocket = 'socketPath' in endpoint
    this.#origin = isSocket ? 'http://engine' : endpoint.origin
    this.#place = isSocket ? endpoint.socketPath : endpoint.origin
    this.#agent = new Agent({
      connect: {timeout: CONNECT_MS, ...(isSocket ? {socketPath: endpoint.socketPath} : {})},
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /** The answer as JSON, null without one. Throws EngineError. */
  async ask(method: Dispatcher.HttpMethod, path: string, call: Call): Promise<Json> {
    const text = await this.#within(call, async (signal) => readText(await this.#send(method, path, {...call, signal})))
    if (text.trim() === '') return null
    const answer = parseJson(text)
    if (answer === undefined) throw new EngineError('Broken', `${this.#place} answered ${method} ${path} with no JSON`)
    return answer
  }

  /** Hands over the body as it comes, as long as the call's signal lets it. Throws EngineError. */
  async stream(
    method: Dispatcher.HttpMethod,
    path: string,
    call: Call,
    onChunk: (chunk: Buffer) => void,
  ): Promise<void> {
    await this.#within({limitMs: Infinity, ...call}, async (signal) => {
      for await (const chunk of await this.#send(method, path, {...call, signal})) onChunk(chunk as Buffer)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #send(method: Dispatcher.HttpMethod, path: string, {query, body, signal}: Call): Promise<Body> {
    const search = query ? `?${new URLSearchParams(query).toString()}` : ''
    const {statusCode, body: answer} = await this.#agent.request({
      origin: this.#origin,
      path: path + search,
      method,
      signal,
      headers: body ? {'content-type': 'application/json'} : {},
      body: body ? JSON.stringify(body) : null,
    })
    if (statusCode >= 200 && statusCode < 300) return answer
    // Started, stopped or gone already: what was asked for is so.
    if (statusCode === 304) return answer
    throw refusalOf(statusCode, await readText(answer))
  }

  async #within<T>({signal, limitMs = CALL_MS}: Call, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = limitMs === Infinity ? [] : [AbortSignal.timeout(limitMs)]
    try {
      signal.throwIfAborted()
      return await act(AbortSignal.any([signal, ...limit]))
    } catch (error) {
      if (error instanceof EngineError) throw error
      if (signal.aborted) throw new EngineError('Stopped', 'stopped')
      if ((error as {name?: unknown}).name === 'TimeoutError')
        throw new EngineError('TimedOut', `the container engine at ${this.#place} does not answer`)
      throw new EngineError('Unreachable', this.#describe(error))
    }
  }

  #describe(error: unknown): string {
    const {code} = error as {code?: unknown}
    const hint = code === 'EACCES' ? '; this user may not use its socket' : ''
    return `cannot speak to the container engine at ${this.#place}: ${String(code ?? 'connection lost')}${hint}`
  }
}

type Body = Dispatcher.ResponseData['body']

async function readText(body: Body): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += (chunk as Buffer).length
    if (size > LARGEST_ANSWER) throw new EngineError('Broken', 'the container engine answers with more than 4 MiB')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refusalOf(status: number, text: string): EngineError {
  const reason = status === 404 ? 'NotFound' : status === 409 ? 'Conflict' : 'Refused'
  const message = valueAt(parseJson(text) ?? null, 'message')
  return new EngineError(reason, `${typeof message === 'string' ? oneLine(message) : 'no reason given'} (${status})`)
}

/** The engine's words, for a log line. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length <= LONGEST_MESSAGE ? line : `${line.slice(0, LONGEST_MESSAGE)}…`
}
