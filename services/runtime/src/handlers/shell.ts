import {mkdir, realpath, rm} from 'node:fs/promises'
import {dirname, isAbsolute, join, resolve} from 'node:path'
import type {JsonObject} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import {expandPlaceholders} from '@atomctl/wpk/parameters'
import {runCommand, type CommandResult} from '../process/command.ts'
import {HeadAndTail, LineSplitter, LogBudget} from '../process/output.ts'
import {findOrphans, signalAll} from '../process/tree.ts'
import type {HandlerSpec} from '../program.ts'
import {isObject} from '../program.ts'
import {capture} from '../secrets/capture.ts'
import {inheritedEnvironment, valueVariables, variableName} from './environment.ts'
import {
  failure,
  finding,
  textOf,
  valuesOf,
  valuesWithSecrets,
  type Handler,
  type HandlerResult,
  type Plan,
  type PlanContext,
  type RunContext,
  type Scope,
} from './handler.ts'
import {commandResult, readOutputFile} from './outputs.ts'

export interface ShellOptions {
  /** The runtime's own environment, of which only the allow-list is passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly killGraceMs: number
}

/**
 * Runs `config.command` with a shell. Values reach it as environment variables only; nothing is ever spliced into the
 * command's text, so no parameter can become code.
 */
export class ShellHandler implements Handler {
  readonly type = 'shell'
  readonly #options: ShellOptions

  constructor(options: ShellOptions) {
    this.#options = options
  }

  check(spec: HandlerSpec): Finding[] {
    const {command, shell, cwd} = spec.config
    const findings: Finding[] = []
    if (typeof command !== 'string' || command.trim() === '')
      findings.push(finding('shell-command', 'config.command', 'A shell handler needs a command'))
    else if (command.includes('\0')) findings.push(finding('shell-command', 'config.command', 'NUL in the command'))
    if (shell !== undefined && typeof shell !== 'string')
      findings.push(finding('shell-shell', 'config.shell', 'shell must be the name of a program, like bash'))
    if (cwd !== undefined && typeof cwd !== 'string')
      findings.push(finding('shell-cwd', 'config.cwd', 'cwd must be a directory'))
    return findings
  }

  plan(spec: HandlerSpec, scope: Scope, {secrets = []}: PlanContext): Plan {
    const {shell, command, cwd, env} = describeCommand(spec, valuesOf(scope))
    const names = [...env, ...secrets.map(({name}) => variableName(name))]
    return {
      outcome: 'ready',
      lines: [
        `would run with ${shell}: ${command}`,
        `in ${cwd ?? "the package's directory"}`,
        names.length > 0
          ? `environment from parameters and config: ${names.join(', ')}`
          : 'no parameters in environment',
      ],
    }
  }

  async run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult> {
    // The command of a runtime that was killed lives on, and would run a second time beside itself.
    if (context.recovered) signalAll(findOrphans(context.idempotencyKey), 'SIGKILL')
    const outputFile = join(dirname(context.directory), 'output')
    await mkdir(dirname(outputFile), {recursive: true})
    await rm(outputFile, {force: true, recursive: true})
    const environment = this.#environment(spec, context, outputFile)
    if (typeof environment === 'string') return failure(environment)
    const output = new HeadAndTail()
    const budget = new LogBudget(context.log)
    const streams = {
      stdout: capture(new LineSplitter(budget, 'stdout'), output, context.secrets),
      stderr: capture(new LineSplitter(budget, 'stderr'), output, context.secrets),
    }
    const result = await runCommand({
      file: shellOf(spec),
      args: ['-c', String(spec.config['command'])],
      directory: directoryOf(spec, context),
      ownDirectory: await realpath(dirname(context.directory)),
      environment,
      timeoutMs: context.timeoutMs,
      graceMs: this.#options.killGraceMs,
      signal: context.signal,
      onOutput: (stream, chunk) => streams[stream].push(chunk),
    })
    const wasCut = result.ended !== 'exit'
    streams.stdout.end(wasCut)
    streams.stderr.end(wasCut)
    if (result.heldOpen && result.ended === 'exit')
      context.log('system', 'a process in the background keeps the output open; it is not waited for')
    const end = {exitCode: result.exitCode, output: output.text, problem: problemOf(spec, context, result)}
    return commandResult(spec, end, await readOutputFile(outputFile, context.secrets))
  }

  /** Or why it cannot be made. */
  #environment(spec: HandlerSpec, context: RunContext, outputFile: string): Record<string, string> | string {
    try {
      const values = valuesWithSecrets(context)
      const configured = Object.entries(configuredVariables(spec))
      return {
        ...inheritedEnvironment(this.#options.environment),
        ...valueVariables(values),
        ...Object.fromEntries(configured.map(([name, text]) => [name, expandPlaceholders(text, values)])),
        ATOM_EXECUTION_ID: context.scope.executionId,
        ATOM_IDEMPOTENCY_KEY: context.idempotencyKey,
        ATOM_OUTPUT: outputFile,
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

/** What would be run. The shell expands the text itself, so that of the values only the names are told. */
export interface CommandDescription {
  readonly shell: string
  readonly command: string
  readonly cwd: string | undefined
  /** Variables that come from values and config. */
  readonly env: readonly string[]
}

export function describeCommand(spec: HandlerSpec, values: JsonObject): CommandDescription {
  const {command, cwd} = spec.config
  const env = [...Object.keys(valueVariables(values)), ...Object.keys(configuredVariables(spec))]
  return {
    shell: shellOf(spec),
    command: String(command).trimEnd(),
    cwd: cwd === undefined ? undefined : textOf(cwd),
    env,
  }
}

function shellOf(spec: HandlerSpec): string {
  return typeof spec.config['shell'] === 'string' ? spec.config['shell'] : '/bin/sh'
}

function directoryOf(spec: HandlerSpec, context: RunContext): string {
  const cwd = spec.config['cwd']
  if (typeof cwd !== 'string') return context.directory
  return isAbsolute(cwd) ? cwd : resolve(context.directory, cwd)
}

function configuredVariables(spec: HandlerSpec): Record<string, string> {
  const configured: JsonObject = isObject(spec.config['env']) ? spec.config['env'] : {}
  return Object.fromEntries(Object.entries(configured).map(([name, value]) => [name, textOf(value)]))
}

function problemOf(spec: HandlerSpec, context: RunContext, result: CommandResult): string | undefined {
  const {ended, exitCode, exitSignal, spawnError} = result
  if (ended === 'spawn-error')
    return `cannot start ${shellOf(spec)} in ${directoryOf(spec, context)}: ${spawnError ?? 'unknown error'}`
  if (ended === 'timeout') return `timed out after ${context.timeoutMs} ms`
  if (ended === 'abort') return 'stopped'
  if (exitSignal !== null) return `ended by signal ${exitSignal}`
  return exitCode === 0 ? undefined : `exit code ${exitCode}`
}
