import {type ExecutionEvent, executionEvent, FINAL_STATUSES} from '@atomctl/protocol/runtime'
import {AtomError, isAtomError} from '../errors.ts'
import {type Clock, pause, type Service} from '../http/index.ts'
import {readEventStream, type StreamMessage} from './event-stream.ts'
import {executionPath} from './executions.ts'
import {Patience} from './patience.ts'

/** Without a byte for this long (services send comments to keep a stream alive), the connection counts as dead. */
const IDLE_TIMEOUT = 60_000
const RECONNECT_DELAY = 500
const LONGEST_RECONNECT_DELAY = 10_000
const MOST_EMPTY_STREAMS = 3
const EVENT_TYPES: ReadonlySet<string> = new Set(['status', 'step', 'log'])

export interface Subscription {
  readonly service: Service
  readonly clock: Clock
  readonly id: string
  readonly signal: AbortSignal
}

/** How far a subscription came, so that polling can go on from there. */
export interface SubscriptionEnd {
  readonly finished: boolean
  /** `seq` of the last log line delivered. */
  readonly after: number
}

/**
 * Follows an execution by its event stream, reconnecting with Last-Event-ID. Returns after the final status, or
 * unfinished when the stream brings nothing three times in a row (a proxy that buffers it, for one).
 */
export async function* subscribe(subscription: Subscription): AsyncGenerator<ExecutionEvent, SubscriptionEnd> {
  const {clock, id, signal} = subscription
  const patience = new Patience(clock, id)
  const position: Position = {lastEventId: undefined, delay: RECONNECT_DELAY, after: 0}
  let emptyStreams = 0
  while (emptyStreams < MOST_EMPTY_STREAMS) {
    try {
      emptyStreams++
      for await (const event of connect(subscription, position)) {
        emptyStreams = 0
        patience.renew()
        yield event
        if (isFinal(event)) return {finished: true, after: position.after}
      }
    } catch (error) {
      if (isNotStream(error)) break
      patience.spend(error)
      // An outage says nothing about the stream; it is waited for as long as patience lasts.
      emptyStreams = 0
    }
    await pause(clock, position.delay, signal)
  }
  return {finished: false, after: position.after}
}

function isFinal(event: ExecutionEvent): boolean {
  return event.type === 'status' && FINAL_STATUSES.has(event.execution.status)
}

interface Position {
  lastEventId: string | undefined
  delay: number
  after: number
}

async function* connect({service, id, signal}: Subscription, position: Position): AsyncGenerator<ExecutionEvent> {
  const resume = position.lastEventId === undefined ? {} : {'last-event-id': position.lastEventId}
  const {headers, body, discard} = await service.stream({
    method: 'GET',
    path: `${executionPath(id)}/events`,
    headers: {accept: 'text/event-stream', ...resume},
    idleTimeout: IDLE_TIMEOUT,
    signal,
  })
  if (!/^text\/event-stream\b/i.test(headers['content-type'] ?? '')) {
    discard()
    throw notStream(service)
  }
  for await (const message of readEventStream(body)) {
    position.lastEventId = message.id ?? position.lastEventId
    position.delay = Math.min(LONGEST_RECONNECT_DELAY, message.retry ?? position.delay)
    const event = readEvent(message, service)
    if (event && isNew(event, position)) yield event
  }
}

/** Undefined for a type of event that this client does not know: newer runtimes may send more. */
function readEvent({event, data, id}: StreamMessage, service: Service): ExecutionEvent | undefined {
  if (!EVENT_TYPES.has(event)) return undefined
  try {
    const value: unknown = JSON.parse(data)
    return executionEvent.parse({type: event, id: id ?? '', ...(value as object)})
  } catch (cause) {
    throw new AtomError('PROTOCOL', 'The runtime sent an event that is not as the protocol says', {
      details: {origin: service.origin, event},
      cause,
    })
  }
}

// A resumed stream may begin a little before the place it was asked for.
function isNew(event: ExecutionEvent, position: Position): boolean {
  if (event.type !== 'log') return true
  if (event.log.seq <= position.after) return false
  position.after = event.log.seq
  return true
}

function notStream({origin}: Service): AtomError {
  return new AtomError('PROTOCOL', 'The runtime answers no event stream', {details: {origin, notStream: true}})
}

function isNotStream(error: unknown): boolean {
  return isAtomError(error) && error.details?.['notStream'] === true
}
