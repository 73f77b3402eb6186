import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {cpSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {ROOT} from './rooms.ts'

/** What a command must do; without `exit` it must succeed. */
export interface Expectation {
  readonly exit?: number
  /** Each must be found in what it prints. */
  readonly shows?: readonly (string | RegExp)[]
}

/**
 * Commands are out of reach of the terminal's Ctrl-C: they get one signal, from `interrupt`, because a second one
 * would mean "at once".
 */
const DETACHED = process.platform !== 'win32'

/** A command that did not do what the session says it does. */
export class StepFailure extends Error {}

/**
 * A person's first session, played for real: an own home and working directory, each command printed as it would be
 * typed, its real output below, and its promises checked.
 */
export class Session {
  readonly home = mkdtempSync(join(tmpdir(), 'atomctl-quickstart-'))
  readonly directory = join(this.home, 'work')
  readonly #environment: NodeJS.ProcessEnv
  readonly #write: (text: string) => void
  #commands = 0
  #running: ChildProcess | undefined
  #interrupted = false

  constructor(
    settings: Readonly<Record<string, string>> = {},
    write: (text: string) => void = (text) => process.stdout.write(text),
  ) {
    this.#write = write
    const temporary = join(this.home, 'tmp')
    for (const path of [this.directory, temporary]) mkdirSync(path)
    cpSync(join(ROOT, 'examples'), join(this.directory, 'examples'), {recursive: true})
    this.#environment = {
      ...withoutSettings(process.env),
      ...homeVariables(this.home, temporary),
      ...(process.stdout.isTTY && !process.env['NO_COLOR'] ? {FORCE_COLOR: '1'} : {}),
      ...settings,
    }
  }

  /** How many commands ran. */
  get commands(): number {
    return this.#commands
  }

  /** A remark between commands. */
  say(text: string): void {
    this.#write(`\n# ${text}\n`)
  }

  /** Runs atomctl; everything it printed. @throws StepFailure */
  atomctl(args: readonly string[], expectation: Expectation = {}): Promise<string> {
    return this.run(['atomctl', ...args].map(quote).join(' '), [join(ROOT, 'bin', 'run.js'), ...args], expectation)
  }

  /** Runs a Node program that a person would start with `typed`. @throws StepFailure */
  async run(typed: string, args: readonly string[], {exit = 0, shows = []}: Expectation = {}): Promise<string> {
    this.#write(`\n$ ${typed}\n`)
    this.#commands += 1
    const {code, output} = await this.#play(args)
    if (this.#interrupted) throw new StepFailure('interrupted')
    if (code !== exit) throw new StepFailure(`"${typed}" ended with ${code}, not ${exit}`)
    const missing = shows.find(
      (wanted) => !(typeof wanted === 'string' ? output.includes(wanted) : wanted.test(output)),
    )
    if (missing !== undefined) throw new StepFailure(`"${typed}" does not show ${missing}`)
    return output
  }

  /** Ends the command that runs, with all it started, so that its step fails. */
  interrupt(): void {
    if (this.#interrupted) return
    this.#interrupted = true
    const pid = this.#running?.pid
    if (pid === undefined) return
    if (DETACHED) process.kill(-pid, 'SIGTERM')
    else this.#running?.kill('SIGTERM')
  }

  /** Stops the background services if they still run, and deletes the home. */
  async close(): Promise<void> {
    await this.#start([join(ROOT, 'bin', 'run.js'), 'dev', 'down', '--quiet'], 'ignore')
    rmSync(this.home, {recursive: true, force: true, maxRetries: 5})
  }

  async #play(args: readonly string[]): Promise<{code: number | null; output: string}> {
    let output = ''
    const show = (chunk: string): void => {
      output += chunk
      this.#write(chunk)
    }
    const code = await this.#start(args, 'pipe', show)
    // what a program wrote for a terminal is checked without its colours
    return {code, output: output.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g'), '')}
  }

  async #start(args: readonly string[], output: 'pipe' | 'ignore', show?: (chunk: string) => void) {
    const child = spawn(process.execPath, [...args], {
      cwd: this.directory,
      env: this.#environment,
      stdio: ['ignore', output, output],
      detached: DETACHED,
    })
    this.#running = child
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => show?.(text))
    const [code] = (await once(child, 'close')) as [number | null]
    this.#running = undefined
    return code
  }
}

/** The caller's own settings must not reach into the session. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(ATOMCTL_|COSIGN_|XDG_|npm_|DATABASE_URL$|DEBUG$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)))
}

function homeVariables(home: string, temporary: string): Record<string, string> {
  return {HOME: home, USERPROFILE: home, TMPDIR: temporary, TEMP: temporary, TMP: temporary}
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
