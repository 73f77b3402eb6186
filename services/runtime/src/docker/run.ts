import {isAtomError} from '@atomctl/wpk/errors'
import {settles} from '../process/command.ts'
import {HeadAndTail, LineSplitter, LogBudget} from '../process/output.ts'
import type {RunContext} from '../handlers/handler.ts'
import type {CommandEnd} from '../handlers/outputs.ts'
import {capture, type ByteFilter} from '../secrets/capture.ts'
import {EngineError, type ContainerEngine} from './engine.ts'
import {findImage, pullImage, type Image, type PullPolicy} from './image.ts'
import {createContainer, removeContainer, removeLeftovers, stopContainer, waitForExit, type Exit} from './lifecycle.ts'
import {followLogs} from './logs.ts'

const CLEANUP_MS = 15_000
/** After the end: how long the log may bring nothing before it is left. */
const DRAIN_MS = 2_000
const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface ContainerRun {
  readonly engine: ContainerEngine
  readonly image: string
  readonly name: string
  readonly pull: PullPolicy
  readonly graceMs: number
  readonly context: RunContext
  /** What to create of the image with this id. Throws PARAMETER_INVALID. */
  body(imageId: string): object
}

/**
 * Pulls, creates, starts, follows and waits; afterwards the container is gone, unless the engine is. Its time counts
 * from the first call, the pull included. Never throws.
 */
export async function runContainer(run: ContainerRun): Promise<CommandEnd> {
  const {engine, context} = run
  const deadline = AbortSignal.timeout(Math.min(context.timeoutMs, LONGEST_TIMER_MS))
  const signal = AbortSignal.any([context.signal, deadline])
  try {
    await removeLeftovers(engine, context.idempotencyKey, signal, (text) => context.log('system', text))
    const image = await obtainImage(run, signal)
    return await inContainer(run, run.body(image.id), signal)
  } catch (error) {
    return {exitCode: null, output: '', problem: problemOf(error, context)}
  }
}

async function obtainImage({engine, image, pull, context}: ContainerRun, signal: AbortSignal): Promise<Image> {
  const log = (text: string): void => context.log('system', text)
  let found = pull === 'always' ? undefined : await findImage(engine, image, signal)
  if (!found && pull !== 'never') {
    log(`pulling ${image}`)
    await pullImage(engine, image, signal, (text) => log(`pull: ${text}`)).catch((error: unknown) => {
      throw error instanceof EngineError && error.reason !== 'Stopped'
        ? new EngineError(error.reason, `cannot pull ${image}: ${error.message}`)
        : error
    })
    found = await findImage(engine, image, signal)
  }
  const reason = pull === 'never' ? 'and pull is never' : 'although it was pulled'
  if (!found) throw new EngineError('NotFound', `the container engine has no image ${image}, ${reason}`)
  log(`image ${image} is ${found.digest}`)
  return found
}

async function inContainer(run: ContainerRun, body: object, signal: AbortSignal): Promise<CommandEnd> {
  const id = await create(run, body, signal)
  try {
    return await attend(run, id, signal)
  } finally {
    await tidy(run, id)
  }
}

/** A call that was cut off may have made the container all the same. */
async function create(run: ContainerRun, body: object, signal: AbortSignal): Promise<string> {
  try {
    return await createContainer(run.engine, run.name, body, signal)
  } catch (error) {
    if (error instanceof EngineError && UNDECIDED.has(error.reason)) await tidy(run, run.name)
    throw error
  }
}

const UNDECIDED: ReadonlySet<string> = new Set(['Unreachable', 'TimedOut', 'Stopped', 'Broken'])

async function attend(run: ContainerRun, id: string, signal: AbortSignal): Promise<CommandEnd> {
  const {engine, context} = run
  const output = new ContainerOutput(context)
  const over = new AbortController()
  let logged: Promise<string | undefined> | undefined
  let end: Omit<CommandEnd, 'output'>
  try {
    await engine.ask('POST', `/containers/${id}/start`, {signal})
    logged = followLogs(engine, id, over.signal, (stream, chunk) => output.push(stream, chunk))
    const exit = await waitForExit(engine, id, logged, signal)
    end = {exitCode: exit.code, problem: exitProblem(exit)}
  } catch (error) {
    end = {exitCode: null, problem: problemOf(error, context)}
    if (logged) await stop(run, id)
  }
  const missing = await drain(logged, output, over, signal)
  if (missing !== undefined) context.log('system', `the log may lack something: ${missing}`)
  return {...end, output: output.end(missing !== undefined || end.exitCode === null)}
}

/** What is still coming is read, however much it is; a log that neither comes nor ends is left. */
async function drain(
  logged: Promise<string | undefined> | undefined,
  output: ContainerOutput,
  over: AbortController,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!logged) return undefined
  for (let seen = -1; !(await settles(logged, DRAIN_MS));) {
    if (output.bytes === seen || signal.aborted) {
      over.abort()
      return 'the container engine does not end it'
    }
    seen = output.bytes
  }
  return logged
}

/** Into the log, line by line, and head and tail into the result. */
class ContainerOutput {
  bytes = 0
  readonly #kept = new HeadAndTail()
  readonly #lines: Record<'stdout' | 'stderr', ByteFilter>

  constructor({log, secrets}: RunContext) {
    const budget = new LogBudget(log)
    const captured = (stream: 'stdout' | 'stderr'): ByteFilter =>
      capture(new LineSplitter(budget, stream), this.#kept, secrets)
    this.#lines = {stdout: captured('stdout'), stderr: captured('stderr')}
  }

  push(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.#lines[stream].push(chunk)
  }

  end(wasCut: boolean): string {
    this.#lines.stdout.end(wasCut)
    this.#lines.stderr.end(wasCut)
    return this.#kept.text
  }
}

async function stop({engine, graceMs, context}: ContainerRun, id: string): Promise<void> {
  await stopContainer(engine, id, graceMs).catch((error: unknown) => {
    if (!(error instanceof EngineError && error.reason === 'NotFound'))
      context.log('system', `the container could not be stopped: ${messageOf(error)}`)
  })
}

async function tidy({engine, context}: ContainerRun, id: string): Promise<void> {
  await removeContainer(engine, id, AbortSignal.timeout(CLEANUP_MS)).catch((error: unknown) => {
    const later = 'the next docker handler here removes it when its time is over'
    context.log('system', `container ${id.slice(0, 64)} could not be removed (${messageOf(error)}); ${later}`)
  })
}

function exitProblem({code, outOfMemory}: Exit): string | undefined {
  if (outOfMemory) return `out of memory: the container was killed at its limit (exit code ${code})`
  return code === 0 ? undefined : `exit code ${code}`
}

function problemOf(error: unknown, {signal, timeoutMs}: RunContext): string {
  if (signal.aborted) return 'stopped'
  if (error instanceof EngineError && error.reason === 'Stopped') return `timed out after ${timeoutMs} ms`
  return messageOf(error)
}

/** Of an error that is not ours only the code: its text may hold anything. */
function messageOf(error: unknown): string {
  if (error instanceof EngineError || isAtomError(error)) return error.message
  return `the container cannot be run: ${String((error as {code?: unknown}).code ?? 'unknown error')}`
}
