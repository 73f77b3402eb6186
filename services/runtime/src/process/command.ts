import {spawn, type ChildProcess} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {setTimeout as delay} from 'node:timers/promises'
import {COOKIE_VARIABLE, findTree, markTree, signalAll, signalTree, type Marks} from './tree.ts'

/** After the exit: a background child may keep the pipe open for ever, what is already in it takes no time. */
const DRAIN_MS = 250
const GONE_POLL_MS = 20
/** After SIGKILL; only a process in uninterruptible sleep takes longer, and nothing can be done about that. */
const GONE_MS = 1_000

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly directory: string
  /** A folder, as /proc spells it, that this command shares with nobody: what it leaves running there is its own. */
  readonly ownDirectory?: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  readonly signal: AbortSignal
  /** Written to standard input; without it there is none. */
  readonly input?: string | undefined
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): void
}

export interface CommandResult {
  readonly ended: 'exit' | 'timeout' | 'abort' | 'spawn-error'
  readonly exitCode: number | null
  readonly exitSignal: string | null
  readonly spawnError: string | null
  /** A child in the background still held the output when the command had ended. */
  readonly heldOpen: boolean
}

/**
 * Runs a command as the leader of its own process group and resolves when it has exited; on timeout or abort, when
 * the whole tree is gone. Never rejects.
 */
export async function runCommand(command: Command): Promise<CommandResult> {
  const cookie = randomUUID()
  const child = start(command, cookie)
  if (typeof child === 'string') return {...NOT_STARTED, spawnError: child}
  const exited = exitOf(child)
  const marks = child.pid === undefined ? undefined : markTree(child.pid, cookie, command.ownDirectory)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.stdout?.on('data', (chunk: Buffer) => command.onOutput('stdout', chunk))
  child.stderr?.on('data', (chunk: Buffer) => command.onOutput('stderr', chunk))
  // A command that ends without reading all of it says by its exit code whether that was right.
  child.stdin?.on('error', () => {}).end(command.input)
  const ended = await firstOf(exited, command)
  if (ended !== 'exit' && marks) await endTree(marks, exited, command.graceMs)
  const heldOpen = !(await settles(closed, DRAIN_MS))
  child.stdout?.destroy()
  child.stderr?.destroy()
  const exit = await Promise.race([exited, Promise.resolve({code: null, signal: null, error: null})])
  return {
    ended: exit.error === null ? ended : 'spawn-error',
    exitCode: exit.code,
    exitSignal: exit.signal,
    spawnError: exit.error,
    heldOpen,
  }
}

const NOT_STARTED = {ended: 'spawn-error', exitCode: null, exitSignal: null, heldOpen: false} as const

interface Exit {
  readonly code: number | null
  readonly signal: string | null
  readonly error: string | null
}

function start(command: Command, cookie: string): ChildProcess | string {
  try {
    return spawn(command.file, command.args, {
      cwd: command.directory,
      env: {...command.environment, [COOKIE_VARIABLE]: cookie},
      detached: process.platform !== 'win32',
      stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
  } catch (error) {
    return spawnProblem(error)
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({code, signal, error: null}))
    child.once('error', (error) => resolve({code: null, signal: null, error: spawnProblem(error)}))
  })
}

/** Only the system's own word: the message would repeat arguments and environment. */
function spawnProblem(error: unknown): string {
  return String((error as {code?: unknown}).code ?? 'unknown error')
}

async function firstOf(exited: Promise<Exit>, command: Command): Promise<'exit' | 'timeout' | 'abort'> {
  const {promise, resolve} = Promise.withResolvers<'timeout' | 'abort'>()
  const timer = setTimeout(() => resolve('timeout'), Math.min(command.timeoutMs, 2 ** 31 - 1))
  const abort = (): void => resolve('abort')
  if (command.signal.aborted) abort()
  command.signal.addEventListener('abort', abort, {once: true})
  const ended = await Promise.race([exited.then(() => 'exit' as const), promise])
  clearTimeout(timer)
  command.signal.removeEventListener('abort', abort)
  return ended
}

/** SIGTERM to everyone, time to tidy up, SIGKILL to who is left, until nobody is. */
async function endTree(marks: Marks, exited: Promise<Exit>, graceMs: number): Promise<void> {
  signalTree(marks, 'SIGTERM')
  await goneWithin(marks, exited, graceMs)
  const deadline = Date.now() + GONE_MS
  for (let left = findTree(marks); left.length > 0 && Date.now() < deadline; left = findTree(marks)) {
    signalTree(marks, 'SIGKILL')
    signalAll(left, 'SIGKILL')
    await delay(GONE_POLL_MS)
  }
  if (process.platform !== 'linux') signalTree(marks, 'SIGKILL')
  await settles(exited, GONE_MS)
}

async function goneWithin(marks: Marks, exited: Promise<Exit>, milliseconds: number): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (Date.now() < deadline) {
    if ((await settles(exited, GONE_POLL_MS)) && findTree(marks).length === 0) return
  }
}

/** Whether `promise` settles within that time. */
export async function settles(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const {promise: limit, resolve} = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), milliseconds)
  const settled = await Promise.race([promise.then(() => true), limit])
  clearTimeout(timer)
  return settled
}
