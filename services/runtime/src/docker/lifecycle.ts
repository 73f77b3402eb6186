import {setTimeout as delay} from 'node:timers/promises'
import type {Json} from '@atomctl/protocol/values'
import {valueAt} from '../kubernetes/values.ts'
import {LABELS} from './container.ts'
import {EngineError, type ContainerEngine} from './engine.ts'

const MOST_BREAKS = 5
const PAUSE_MS = 200
const POLL_MS = 1_000
const ASK_MS = 10_000
/** Of a clock that differs, and of whoever is just about to remove it. */
const EXPIRED_FOR_S = 60

/** Throws EngineError. */
export async function createContainer(
  engine: ContainerEngine,
  name: string,
  body: object,
  signal: AbortSignal,
): Promise<string> {
  const answer = await engine.ask('POST', '/containers/create', {query: {name}, body, signal})
  const id = valueAt(answer, 'Id')
  if (typeof id === 'string' && /^[0-9a-f]{12,128}$/.test(id)) return id
  throw new EngineError('Broken', 'the container engine made a container and did not say which')
}

/**
 * Removes what an earlier attempt at this step left, of a runtime that was killed in its middle, and every container
 * of ours whose time is long over, whoever's it was. Throws EngineError.
 */
export async function removeLeftovers(
  engine: ContainerEngine,
  idempotencyKey: string,
  signal: AbortSignal,
  log: (text: string) => void,
): Promise<void> {
  const filters = JSON.stringify({label: [LABELS.step]})
  const found = await engine.ask('GET', '/containers/json', {query: {all: 'true', filters}, signal})
  for (const container of Array.isArray(found) ? found : []) {
    const id = valueAt(container, 'Id')
    if (typeof id !== 'string') continue
    if (valueAt(container, 'Labels', LABELS.step) === idempotencyKey) {
      log(`removing the container of an earlier attempt, ${id.slice(0, 12)}`)
      await removeContainer(engine, id, signal)
    } else if (isExpired(container)) await removeContainer(engine, id, signal).catch(() => {})
  }
}

function isExpired(container: Json): boolean {
  const expires = Number(valueAt(container, 'Labels', LABELS.expires) ?? Infinity)
  return expires + EXPIRED_FOR_S < Date.now() / 1000
}

/** The container and its unnamed volumes, running or not; nothing when it is gone. Throws EngineError. */
export async function removeContainer(engine: ContainerEngine, id: string, signal: AbortSignal): Promise<void> {
  await engine
    .ask('DELETE', `/containers/${id}`, {query: {force: 'true', v: 'true'}, signal})
    .catch((error: unknown) => {
      if (!(error instanceof EngineError && error.reason === 'NotFound')) throw error
    })
}

export interface Exit {
  readonly code: number
  readonly outOfMemory: boolean
}

/**
 * Waits for the end of a container. An engine that hangs up is asked again, since the container lives on without it;
 * one that never says so although the log has ended (`logged`) is asked every second. Throws EngineError.
 */
export async function waitForExit(
  engine: ContainerEngine,
  id: string,
  logged: Promise<unknown>,
  signal: AbortSignal,
): Promise<Exit> {
  let nudge: Promise<unknown> = logged
  for (let breaks = 0; ;) {
    const sign = await firstSign(engine, id, nudge, signal)
    const found = await findExit(engine, id, signal).catch(asProblem)
    if (found !== undefined && !(found instanceof EngineError)) return found
    if (signal.aborted) throw new EngineError('Stopped', 'stopped')
    const isPolling = sign === 'nudged' && found === undefined
    if (!isPolling && breaks === MOST_BREAKS) throw found ?? asBreak(sign)
    breaks += isPolling ? 0 : 1
    nudge = delay(POLL_MS)
    // An engine that restarts takes its time; one that contradicts itself does not get better by waiting.
    const pause = sign === 'ended' ? PAUSE_MS : PAUSE_MS * 2 ** breaks
    if (!isPolling) await delay(pause, undefined, {signal}).catch(() => {})
  }
}

function asProblem(error: unknown): EngineError {
  if (error instanceof EngineError && error.reason !== 'NotFound') return error
  throw error
}

function asBreak(sign: EngineError | 'ended' | 'nudged'): EngineError {
  return sign instanceof EngineError ? sign : new EngineError('Broken', 'the container engine says it ended and runs')
}

/** Whatever comes first: the engine says that it ended, or breaks, or it is time to look. */
async function firstSign(
  engine: ContainerEngine,
  id: string,
  nudge: Promise<unknown>,
  signal: AbortSignal,
): Promise<EngineError | 'ended' | 'nudged'> {
  const over = new AbortController()
  const call = {signal: AbortSignal.any([signal, over.signal]), limitMs: Infinity}
  const waited = engine.ask('POST', `/containers/${id}/wait`, call).then(
    () => 'ended' as const,
    (error: unknown) => error as EngineError,
  )
  const first = await Promise.race([waited, nudge.then(() => 'nudged' as const)])
  over.abort()
  return first
}

/** The engine's record, which outlives its connections; undefined while the container runs. */
async function findExit(engine: ContainerEngine, id: string, signal: AbortSignal): Promise<Exit | undefined> {
  const found = await engine.ask('GET', `/containers/${id}/json`, {signal, limitMs: ASK_MS})
  const state = valueAt(found, 'State')
  const [code, status] = [valueAt(state, 'ExitCode'), valueAt(state, 'Status')]
  if (valueAt(state, 'Running') !== false || !['exited', 'stopped', 'dead'].includes(String(status))) return undefined
  if (typeof code !== 'number' || !Number.isInteger(code))
    throw new EngineError('Broken', 'the container engine tells no exit code')
  return {code, outOfMemory: valueAt(state, 'OOMKilled') === true}
}

/** SIGTERM, or what the image asks for, and SIGKILL after the grace. Throws EngineError. */
export async function stopContainer(engine: ContainerEngine, id: string, graceMs: number): Promise<void> {
  const seconds = Math.ceil(graceMs / 1000)
  const signal = AbortSignal.timeout(seconds * 1000 + ASK_MS)
  await engine.ask('POST', `/containers/${id}/stop`, {query: {t: String(seconds)}, signal, limitMs: Infinity})
}
