import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {createServer, type Server} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

const ENTRY = fileURLToPath(new URL('../../../../bin/run.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Status {
  readonly running: boolean
  readonly pid: number
  readonly rss_bytes: number
  readonly services: readonly {name: string; url: string; health: string}[]
}

/** A person's machine for one test: the built atomctl, a home of its own, free ports. */
export class Person {
  readonly home = mkdtempSync(join(tmpdir(), 'atomctl-dev-test-'))
  readonly dev = join(this.home, '.atomctl', 'dev')
  readonly #started: ChildProcess[] = []

  /** Starts atomctl; `stdout` of the child is readable. */
  start(args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
    const {PATH = ''} = process.env
    const env = {PATH, HOME: this.home, XDG_CACHE_HOME: join(tmpdir(), 'atomctl-dev-test-cache'), ...environment}
    const child = spawn(process.execPath, [ENTRY, ...args], {env, cwd: this.home, stdio: ['ignore', 'pipe', 'pipe']})
    this.#started.push(child)
    return child
  }

  /** Runs atomctl to its end. */
  async run(args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
    return collect(this.start(args, environment))
  }

  up(...args: string[]): Promise<Ended> {
    return this.run(['dev', 'up', '--registry-port', '0', '--runtime-port', '0', ...args])
  }

  /** The data of `dev status -o json`. */
  async status(): Promise<Status> {
    return (JSON.parse((await this.run(['dev', 'status', '-o', 'json'])).stdout) as {data: Status}).data
  }

  /** Stops everything and deletes the home. */
  async leave(): Promise<void> {
    await this.run(['dev', 'down'])
    for (const child of this.#started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    rmSync(this.home, {recursive: true, force: true})
  }
}

/** Everything a process prints, once it has ended. */
export async function collect(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr] = [text(child, 'stdout'), text(child, 'stderr')]
  const [code] = (await once(child, 'close')) as [number | null]
  return {code, stdout: stdout(), stderr: stderr()}
}

/** The first line a process prints on stdout. @throws when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = ''
    let errors = ''
    child.stderr?.on('data', (chunk) => (errors += String(chunk)))
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk)
      if (seen.includes('\n')) resolve(seen.slice(0, seen.indexOf('\n')))
    })
    child.once('close', () => reject(new Error(`ended before it said anything: ${errors}`)))
  })
}

function text(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let seen = ''
  child[stream]?.on('data', (chunk) => (seen += String(chunk)))
  return () => seen
}

/** A server that occupies a loopback port. */
export async function occupyPort(): Promise<{port: number; server: Server}> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {port: (server.address() as {port: number}).port, server}
}
