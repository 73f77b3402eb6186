import {once} from 'node:events'
import type {ServerResponse} from 'node:http'
import type {Execution} from '@atomctl/protocol/runtime'
import {FINAL_STATUSES} from '@atomctl/protocol/runtime'
import {refuse} from '../refusal.ts'
import {streamedEvent, type EventStore} from '../store/events.ts'
import type {ExecutionStore} from '../store/executions.ts'
import type {Hub} from '../store/hub.ts'
import {executionView} from '../store/views.ts'
import {executionPath, findExecution} from './executions.ts'
import type {App, Services} from './server.ts'

const PAGE = 500

export function addEventRoute(app: App, services: Services): void {
  app.get('/execute/:id/events', {schema: {params: executionPath}}, async (request, reply) => {
    const row = await findExecution(services, request.params.id)
    const after = readEventId(request.headers['last-event-id'])
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    response.flushHeaders()
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const stream = new EventStream(response, AbortSignal.any([gone.signal, services.stopping]), services)
    await stream.follow(row.id, after).catch(() => {})
    response.end()
  })
}

interface StreamServices {
  readonly events: EventStore
  readonly executions: ExecutionStore
  readonly hub: Hub
  readonly heartbeatMs: number
  /** Another process may be running it; in this one the hub tells at once. */
  readonly pollMs: number
}

/** One reader of one execution. Reads on only as fast as the reader takes it, so nothing piles up. */
class EventStream {
  readonly #response: ServerResponse
  readonly #signal: AbortSignal
  readonly #services: StreamServices
  #lastWrite = Date.now()

  constructor(response: ServerResponse, signal: AbortSignal, services: StreamServices) {
    this.#response = response
    this.#signal = signal
    this.#services = services
  }

  /** Sends everything after event `after` until the final status was sent or the reader is gone. */
  async follow(executionId: string, after: number): Promise<void> {
    const {hub} = this.#services
    const unwatch = hub.watch(executionId)
    try {
      let isQuiet = true
      for (let last = after; !this.#signal.aborted;) {
        const version = hub.version(executionId)
        const sent = await this.#sendPage(executionId, last)
        if (sent.isFinal || (sent.count === 0 && isQuiet && (await this.#isOver(executionId, last)))) return
        last = sent.last
        if (sent.count === 0) await this.#waitForMore(executionId, version)
        isQuiet = hub.version(executionId) === version
      }
    } finally {
      unwatch()
    }
  }

  async #sendPage(executionId: string, after: number): Promise<{last: number; count: number; isFinal: boolean}> {
    const rows = await this.#services.events.after(executionId, after, PAGE)
    const events = rows.map(streamedEvent)
    await this.#write(events.map((event) => frame(event.id, event.type, event)).join(''))
    const isFinal = events.some((event) => event.type === 'status' && isEnded(event.execution))
    return {last: rows.at(-1)?.seq ?? after, count: rows.length, isFinal}
  }

  /** A reader that comes back after the end gets the final status again, so that it need not guess. */
  async #isOver(executionId: string, last: number): Promise<boolean> {
    const row = await this.#services.executions.find(executionId)
    if (row && !isEnded(row)) return false
    const pending = row ? await this.#services.events.after(executionId, last, 1) : []
    if (pending.length > 0) return false
    if (row)
      await this.#write(
        frame(String(last), 'status', {type: 'status', id: String(last), execution: executionView(row)}),
      )
    return true
  }

  async #waitForMore(executionId: string, version: number): Promise<void> {
    const {hub, heartbeatMs, pollMs} = this.#services
    await hub.wait(executionId, version, Math.min(pollMs, heartbeatMs), this.#signal)
    if (Date.now() - this.#lastWrite >= heartbeatMs) await this.#write(': heartbeat\n\n')
  }

  async #write(text: string): Promise<void> {
    if (text === '' || this.#signal.aborted) return
    this.#lastWrite = Date.now()
    if (!this.#response.write(text)) await once(this.#response, 'drain', {signal: this.#signal})
  }
}

function isEnded({status}: Pick<Execution, 'status'>): boolean {
  return FINAL_STATUSES.has(status)
}

function frame(id: string, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

function readEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0
  if (typeof header === 'string' && /^\d{1,9}$/.test(header)) return Number(header)
  throw refuse(422, 'REQUEST_REJECTED', 'Last-Event-ID is not one that this runtime gave out')
}
