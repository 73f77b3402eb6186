import {type ChildProcess, spawn} from 'node:child_process'
import {closeSync, openSync, rmSync} from 'node:fs'
import {readFile, rename, rm} from 'node:fs/promises'
import {basename, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Environment} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {attemptLogOf} from './attempts.ts'
import {type Layout, makePrivateDirectory} from './layout.ts'
import {isAlive, waitForEnd} from './process.ts'
import {readRunningState, removeState, type ServicesState} from './state.ts'

export interface DaemonPlan {
  readonly layout: Layout
  /** Root of the installation, which holds bin/. */
  readonly root: string
  /** Arguments of `serve all`. */
  readonly args: readonly string[]
  readonly environment: Environment
  readonly signal: AbortSignal
}

/** Idle services need little; without a bound V8 lets garbage grow to hundreds of megabytes first. */
const NODE_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=512']
const READY_MS = 60_000
const POLL_MS = 15
const SHOWN_LINES = 15

/** Bounds of `stop`: the services drain for up to five seconds after SIGTERM. */
const TERMINATE_MS = 8000
const KILL_MS = 5000

/**
 * Starts `serve all` in a session of its own and waits until it is ready. When it is not, what it printed is in the
 * error and nothing stays running. @throws CONFLICT (port or data directory in use), UNAVAILABLE, INTERRUPTED
 */
export async function startDaemon(plan: DaemonPlan): Promise<ServicesState> {
  const {layout, signal} = plan
  await makePrivateDirectory(layout.home)
  // Each attempt has its own log until it has won: two may start at once.
  const log = attemptLogOf(layout)
  const daemon = launch(plan, log)
  // A second Ctrl-C ends this process at once, in the middle of anything; nothing is awaited before this is in place.
  const leaveNothing = (): void => {
    daemon.kill('SIGKILL')
    rmSync(log, {force: true})
  }
  process.once('exit', leaveNothing)
  try {
    const state = await waitUntilReady(daemon, layout, signal)
    await rename(log, layout.logFile)
    daemon.unref()
    return state
  } catch (error) {
    await abandon(daemon)
    throw await explainFailure(error, daemon, log)
  } finally {
    process.off('exit', leaveNothing)
    await rm(log, {force: true})
  }
}

function launch({layout, root, args, environment}: DaemonPlan, log: string): ChildProcess {
  const entry = basename(process.argv[1] ?? '') === 'dev.mjs' ? 'dev.mjs' : 'run.js'
  const output = openSync(log, 'w', 0o600)
  try {
    return spawn(
      process.execPath,
      [...NODE_FLAGS, join(root, 'bin', entry), 'serve', 'all', '--quiet', ...args, '--state-file', layout.stateFile],
      {
        cwd: layout.home,
        env: withoutSecrets(environment),
        detached: true,
        stdio: ['ignore', output, output],
        windowsHide: true,
      },
    )
  } finally {
    closeSync(output)
  }
}

/**
 * The daemon lives on: beside what is meant for runtimes it gets no password or token of this moment, no setting of atomctl meant for one command, and
 * not the DATABASE_URL of whatever application is being worked on here.
 */
function withoutSecrets(environment: Environment): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) =>
      /^ATOMCTL_(HOME$|SECRET_|VAULT_PATHS$)/.test(name) ||
      !/^(ATOMCTL_.*|COSIGN_.*|DATABASE_URL|NODE_OPTIONS)$/.test(name),
  )
  return Object.fromEntries(kept)
}

async function waitUntilReady(daemon: ChildProcess, layout: Layout, signal: AbortSignal): Promise<ServicesState> {
  const failures: Error[] = []
  daemon.once('error', (error) => failures.push(error))
  const deadline = performance.now() + READY_MS
  while (performance.now() < deadline) {
    const state = await readRunningState(layout.stateFile)
    if (state && state.pid === daemon.pid) return state
    if (failures[0]) throw failures[0]
    signal.throwIfAborted()
    if (hasEnded(daemon)) throw new Error('it ended')
    await pause(POLL_MS)
  }
  throw new Error(`it was not ready after ${READY_MS / 1000} s`)
}

function hasEnded({exitCode, signalCode}: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function abandon(daemon: ChildProcess): Promise<void> {
  if (daemon.pid === undefined || hasEnded(daemon)) return
  const ended = new Promise((resolve) => daemon.once('exit', resolve))
  daemon.kill('SIGTERM')
  const timer = setTimeout(() => daemon.kill('SIGKILL'), 3000)
  await ended
  clearTimeout(timer)
}

async function explainFailure(cause: unknown, daemon: ChildProcess, log: string): Promise<unknown> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-SHOWN_LINES)
  const code = daemon.exitCode === 7 ? 'CONFLICT' : 'UNAVAILABLE'
  const reason = firstError(lines) ?? (cause instanceof Error ? cause.message : String(cause))
  return new AtomError(code, `the services did not start: ${reason}`, {
    hint: hintIn(lines) ?? 'atomctl serve all --verbose',
    details: {detail: `last lines of the log\n${lines.map((line) => `    ${line}`).join('\n')}`},
    cause,
  })
}

function firstError(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.startsWith('[ERROR] '))?.slice('[ERROR] '.length)
}

function hintIn(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.startsWith('hint: '))?.slice('hint: '.length)
}

/**
 * Ends the services and waits until the process is gone. Killing loses nothing: executions are resumed at the next
 * start. @throws DENIED, TIMEOUT
 */
export async function stopDaemon(state: ServicesState, layout: Layout): Promise<{forced: boolean}> {
  const forced = !(await endWith('SIGTERM', state, TERMINATE_MS))
  if (forced && !(await endWith('SIGKILL', state, KILL_MS))) {
    throw new AtomError('TIMEOUT', `process ${state.pid} does not end`, {hint: `kill -9 ${state.pid}`})
  }
  await removeState(layout.stateFile, state.pid)
  return {forced}
}

async function endWith(signal: 'SIGTERM' | 'SIGKILL', state: ServicesState, milliseconds: number): Promise<boolean> {
  if (!(await isAlive(state))) return true
  try {
    process.kill(state.pid, signal)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') return waitForEnd(state, milliseconds)
    throw new AtomError('DENIED', `process ${state.pid} belongs to another user`, {cause})
  }
  return waitForEnd(state, milliseconds)
}
