import {accessSync, constants, statSync} from 'node:fs'
import {delimiter, isAbsolute, join} from 'node:path'
import type {Json} from '@atomctl/protocol/values'
import type {LogLine} from '../handlers/handler.ts'
import type {CommandResult, runCommand} from '../process/command.ts'
import type {ByteFilter} from '../secrets/redactor.ts'
import {NO_SECRETS, type StepSecrets} from '../secrets/step.ts'
import {HeadAndTail, LineSplitter, LogBudget} from '../process/output.ts'
import {parseJson} from './values.ts'

/** Of what kubectl answers for this runtime to read; what people read is bounded by the log. */
const LARGEST_ANSWER = 16 * 1024 * 1024

export interface Calls {
  readonly file: string
  readonly run: typeof runCommand
  readonly environment: Readonly<Record<string, string>>
  readonly graceMs: number
  readonly directory: string
  readonly signal: AbortSignal
  /** When, by `performance.now()`, everything must have ended. */
  readonly deadline: number
  readonly timeoutMs: number
  readonly log: LogLine
  /** Takes secrets out of what is logged, put out and thrown. */
  /** Of the step: taken out of what is logged and kept, but not of what is read as JSON. */
  readonly secrets?: StepSecrets
  readonly redact: (text: string) => string
}

/** What kubectl says of its own accord, redacted; `stdout` is whole and as it came. */
export interface Answer {
  readonly stdout: string
  /** Both streams, head and tail. */
  readonly output: string
  readonly exitCode: number | null
}

export type Reason = 'Stopped' | 'TimedOut' | 'Unreachable' | 'NotFound' | 'AlreadyExists' | 'Denied' | 'Failed'

/** kubectl did not do it; the message is the API's own where it answered. */
export class KubectlError extends Error {
  readonly reason: Reason
  readonly exitCode: number | null
  readonly output: string

  constructor(message: string, reason: Reason, exitCode: number | null = null, output = '') {
    super(message)
    this.name = 'KubectlError'
    this.reason = reason
    this.exitCode = exitCode
    this.output = output
  }
}

/** Runs kubectl, each call a process group of its own; arguments are words, never a shell's text. */
export class Kubectl {
  readonly #calls: Calls
  readonly #budget: LogBudget

  constructor(calls: Calls) {
    this.#calls = calls
    this.#budget = new LogBudget((stream, text) => calls.log(stream, calls.redact(text)))
  }

  /** The same calls under another signal, and with another time to end at. */
  with({signal, deadline}: {readonly signal: AbortSignal; readonly deadline: number}): Kubectl {
    const timeoutMs = Math.round(deadline - performance.now())
    return new Kubectl({...this.#calls, signal, deadline, timeoutMs})
  }

  /** Asks without logging. Throws KubectlError. */
  async ask(args: readonly string[], input?: string): Promise<Answer> {
    return this.#run(args, input, () => {})
  }

  /** Asks for JSON. Throws KubectlError. */
  async read(args: readonly string[], input?: string): Promise<Json> {
    const {stdout} = await this.ask([...args, '--output=json'], input)
    const document = parseJson(stdout)
    if (document !== undefined) return document
    const size = Buffer.byteLength(stdout)
    throw new KubectlError(
      `kubectl answers no JSON that can be read, or more than ${LARGEST_ANSWER} bytes (${size})`,
      'Failed',
    )
  }

  /** Runs and logs every line as it comes. Throws KubectlError. */
  async stream(args: readonly string[], input?: string): Promise<Answer> {
    const splitters = {
      stdout: new LineSplitter(this.#budget, 'stdout'),
      stderr: new LineSplitter(this.#budget, 'stderr'),
    }
    try {
      return await this.#run(args, input, (stream, chunk) => splitters[stream].push(chunk))
    } finally {
      splitters.stdout.end()
      splitters.stderr.end()
    }
  }

  /** Text that this runtime made of an answer, logged like kubectl's own. */
  show(text: string): void {
    for (const line of text.split('\n')) this.#budget.write('stdout', line)
  }

  async #run(
    args: readonly string[],
    input: string | undefined,
    onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void,
  ): Promise<Answer> {
    const {file, run, directory, environment, graceMs, signal, deadline, redact, secrets = NO_SECRETS} = this.#calls
    const collected = {stdout: [] as Uint8Array[], size: 0, both: new HeadAndTail(), stderr: new HeadAndTail()}
    const shown = (stream: 'stdout' | 'stderr'): ByteFilter =>
      secrets.filter((chunk) => {
        onOutput(stream, chunk)
        collected.both.push(chunk)
        if (stream === 'stderr') collected.stderr.push(chunk)
      })
    const filters = {stdout: shown('stdout'), stderr: shown('stderr')}
    const result = await run({
      file,
      args,
      directory,
      environment,
      graceMs,
      signal,
      input,
      timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())),
      onOutput: (stream, chunk) => {
        filters[stream].push(chunk)
        if (stream === 'stderr') return
        collected.size += chunk.length
        if (collected.size <= LARGEST_ANSWER) collected.stdout.push(chunk)
      },
    })
    const wasCut = result.ended !== 'exit'
    filters.stdout.end(wasCut)
    filters.stderr.end(wasCut)
    const output = redact(collected.both.text)
    if (result.ended !== 'exit' || result.exitCode !== 0)
      throw this.#problem(result, redact(collected.stderr.text), output)
    return {stdout: Buffer.concat(collected.stdout).toString('utf8'), output, exitCode: result.exitCode}
  }

  #problem(result: CommandResult, stderr: string, output: string): KubectlError {
    const {ended, exitCode, exitSignal, spawnError} = result
    if (ended === 'abort') return new KubectlError('stopped', 'Stopped', exitCode, output)
    if (ended === 'timeout')
      return new KubectlError(`timed out after ${this.#calls.timeoutMs} ms`, 'TimedOut', exitCode, output)
    if (ended === 'spawn-error') return new KubectlError(`cannot start kubectl: ${spawnError}`, 'Failed')
    if (exitSignal !== null) return new KubectlError(`kubectl ended by signal ${exitSignal}`, 'Failed', null, output)
    return new KubectlError(messageOf(stderr, exitCode), reasonOf(stderr), exitCode, output)
  }
}

/** kubectl has no other way to tell than its words; these have been the same since Kubernetes 1.0. */
const REASONS: readonly (readonly [RegExp, Reason])[] = [
  [/^Error from server \(NotFound\)|"[^"]*" not found$/m, 'NotFound'],
  [/^Error from server \(AlreadyExists\)/m, 'AlreadyExists'],
  [
    /The connection to the server .* was refused|^Unable to connect to the server|couldn't get current server API group list|context "[^"]*" does not exist|no such host|i\/o timeout|failed to download openapi: Get |dial tcp |must be logged in|\(Unauthorized\)/m,
    'Unreachable',
  ],
]

function reasonOf(stderr: string): Reason {
  return REASONS.find(([form]) => form.test(stderr))?.[1] ?? 'Failed'
}

/** What went wrong: from the last line that begins like an error to the end, because the API lists reasons below. */
function messageOf(stderr: string, exitCode: number | null): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^[EWI]\d{4} /.test(line))
  const start = lines.findLastIndex((line) => /^(error|Error from server|The |Unable to)/.test(line))
  const message = lines.slice(start < 0 ? -1 : start).map((line) => line.trim())
  return message.length === 0 ? `kubectl: exit code ${exitCode}` : message.join(' ').slice(0, 1000)
}

/** kubectl on a search path; undefined when it is not there. */
export function findKubectl(path: string | undefined): string | undefined {
  const name = process.platform === 'win32' ? 'kubectl.exe' : 'kubectl'
  return path
    ?.split(delimiter)
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
