import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, readFileSync} from 'node:fs'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url))

/** A runtime in its own process. */
export class ServerProcess {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(
    directory: string,
    policyFile: string,
    databaseUrl = '',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const child = spawn(process.execPath, [...process.execArgv, SERVER, directory, policyFile, databaseUrl], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {...process.env, ...environment},
    })
    let errors = ''
    child.stderr?.on('data', (chunk) => (errors += String(chunk)))
    const lines = createInterface({input: child.stdout!})
    const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [undefined])])) as [string?]
    if (line === undefined) throw new Error(`the server did not start: ${errors}`)
    return new ServerProcess(child, line)
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** SIGKILL, or SIGSTOP and SIGCONT, without waiting for anything. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const exited = once(this.#child, 'exit')
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill(signal)
    await exited
  }

  async post(path: string, body: unknown): Promise<{status: number; body: Record<string, unknown>}> {
    const headers = {'content-type': 'application/json'}
    const response = await fetch(this.url + path, {method: 'POST', headers, body: JSON.stringify(body)})
    return {status: response.status, body: (await response.json()) as Record<string, unknown>}
  }

  async get(path: string): Promise<Record<string, unknown>> {
    return (await (await fetch(this.url + path)).json()) as Record<string, unknown>
  }
}

/** Whether a process lives; a zombie does not. */
export function isAlive(pid: string): boolean {
  // of nothing, /proc//stat would answer for the whole machine
  if (!/^\d+$/.test(pid.trim())) throw new Error(`${JSON.stringify(pid)} is no process number`)
  try {
    const stat = readFileSync(`/proc/${pid.trim()}/stat`, 'latin1')
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/** The process number that a command writes with `echo $$`; undefined until it is there, whole. */
export function readPid(file: string): string | undefined {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text.endsWith('\n') ? text.trim() : undefined
}
