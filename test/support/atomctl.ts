import {type ChildProcessByStdio, spawn} from 'node:child_process'
import {mkdtemp, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Readable, Writable} from 'node:stream'
import {fileURLToPath} from 'node:url'

/** The built CLI; ATOMCTL_BIN names another one, such as an installed tarball. */
export const ATOMCTL = process.env['ATOMCTL_BIN'] ?? fileURLToPath(new URL('../../bin/run.js', import.meta.url))

export interface RunOptions {
  cwd?: string
  env?: Readonly<Record<string, string>>
  /** Standard input; closed at once without it. */
  input?: string | Uint8Array
  /** Another entry file than the built CLI's. */
  binary?: string
}

export interface RunResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export type AtomctlProcess = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts the real binary with nothing of this process's environment but PATH and the temporary HOME. */
export function spawnAtomctl(args: readonly string[], options: RunOptions = {}): AtomctlProcess {
  const env = {PATH: process.env['PATH'], HOME: process.env['HOME'], CI: '1', NO_COLOR: '1', ...options.env}
  const cwd = options.cwd ?? process.env['HOME']
  return spawn(process.execPath, [options.binary ?? ATOMCTL, ...args], {env, cwd, stdio: ['pipe', 'pipe', 'pipe']})
}

/** Runs the real binary to its end. */
export async function runAtomctl(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = spawnAtomctl(args, options)
  // a command that never reads its input may be gone before it is written
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  return finished(child)
}

/** What a started process printed and how it ended. */
export async function finished(child: AtomctlProcess): Promise<RunResult> {
  const [stdout, stderr, {code, signal}] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    new Promise<{code: number | null; signal: NodeJS.Signals | null}>((resolve) => {
      child.once('close', (code, signal) => resolve({code, signal}))
    }),
  ])
  return {code, signal, stdout, stderr}
}

async function collect(stream: Readable): Promise<string> {
  stream.setEncoding('utf8')
  let text = ''
  for await (const chunk of stream) text += chunk as string
  return text
}

/** A person's machine for one test: an own HOME that is also the working directory. */
export interface Sandbox extends AsyncDisposable {
  readonly home: string
  /** Runs atomctl there. */
  atomctl(args: readonly string[], options?: RunOptions): Promise<RunResult>
  spawn(args: readonly string[], options?: RunOptions): AtomctlProcess
  path(...parts: string[]): string
}

export async function createSandbox(env: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
  const home = await mkdtemp(join(tmpdir(), 'atomctl-sandbox-'))
  const within = (options: RunOptions = {}): RunOptions => ({
    cwd: home,
    ...options,
    env: {HOME: home, COSIGN_PASSWORD: 'correct horse', ...env, ...options.env},
  })
  return {
    home,
    atomctl: (args, options) => runAtomctl(args, within(options)),
    spawn: (args, options) => spawnAtomctl(args, within(options)),
    path: (...parts) => join(home, ...parts),
    [Symbol.asyncDispose]: () => rm(home, {recursive: true, force: true, maxRetries: 5}),
  }
}

/** What commands left in the sandbox, temporary files included; not the caches and settings. */
export async function filesOf({home}: Sandbox): Promise<string[]> {
  return (await readdir(home)).filter((name) => name !== '.cache' && name !== '.atomctl').toSorted()
}
