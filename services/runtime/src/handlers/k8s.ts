import {mkdir} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname} from 'node:path'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {K8S_ACTIONS, refuseAction, type Finding} from '@atomctl/wpk/document'
import {AtomError, isAtomError} from '@atomctl/wpk/errors'
import {secretFields} from '@atomctl/wpk/parameters'
import {ACTIONS} from '../kubernetes/actions/index.ts'
import {Caps} from '../kubernetes/caps.ts'
import {kubectlEnvironment} from '../kubernetes/environment.ts'
import {Kubectl, KubectlError} from '../kubernetes/kubectl.ts'
import {Redactor, secretsIn} from '../kubernetes/redaction.ts'
import type {Action, Outcome, Session} from '../kubernetes/session.ts'
import {resolveTarget} from '../kubernetes/target.ts'
import {fillValue, parseJson, readPatch} from '../kubernetes/values.ts'
import type {BlastLimit} from '../options.ts'
import {runCommand} from '../process/command.ts'
import {HeadAndTail} from '../process/output.ts'
import {findOrphans, signalAll} from '../process/tree.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {NO_SECRETS} from '../secrets/step.ts'
import {isForShell} from './command-words.ts'
import {
  failure,
  finding,
  textOf,
  valuesOf,
  valuesWithSecrets,
  type ErrorCode,
  type Handler,
  type HandlerResult,
  type LogLine,
  type Plan,
  type PlanContext,
  type RunContext,
  type Scope,
} from './handler.ts'
import {checkPointers, resolvePointer} from './outputs.ts'

export interface K8sOptions {
  /** Path of a kubectl of at least version 1.32. */
  readonly kubectl: string
  /** The runtime's own environment, of which only the allow-list is passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly killGraceMs: number
  /** Of the safety policy, asked for every step, so that an edited rule counts at once. */
  readonly limits?: () => Promise<readonly BlastLimit[]>
  /** What stands in for kubectl where nothing real may run; default kubectl itself. */
  readonly run?: typeof runCommand
}

const PLAN_MS = 30_000

/** One action on a cluster, through kubectl, so that users' contexts and login plugins work as they do for them. */
export class K8sHandler implements Handler {
  readonly type = 'k8s'
  readonly #options: K8sOptions

  constructor(options: K8sOptions) {
    this.#options = options
  }

  check(spec: HandlerSpec): Finding[] {
    const {action} = spec.config
    const findings = spec.outputs === undefined ? [] : checkPointers('k8s', spec.outputs)
    if (K8S_ACTIONS.some((known) => known === action)) return findings
    const message = `Unknown k8s action ${textOf(action ?? null)}`
    return [...findings, finding('k8s-action', 'config.action', message, K8S_ACTIONS.join(', '))]
  }

  refuse(spec: HandlerSpec): string | undefined {
    return refuseAction(spec.config)?.message
  }

  async plan(spec: HandlerSpec, scope: Scope, context: PlanContext): Promise<Plan> {
    const action = actionOf(spec)
    const refused = this.refuse(spec)
    if (!action || refused !== undefined) return unknown(`${refused}; this runtime would refuse to run it`)
    const redactor = new Redactor()
    try {
      const session = await this.#session(spec, redactor, {
        scope,
        signal: context.signal,
        timeoutMs: Math.min(spec.timeoutMs ?? PLAN_MS, PLAN_MS),
        idempotencyKey: context.idempotencyKey ?? `${scope.executionId}/plan`,
        recovered: false,
        directory: undefined,
        scratch: tmpdir(),
        log: () => {},
        secrets: context.given ?? NO_SECRETS,
      })
      const plan = await action.plan(session)
      return {...plan, lines: plan.lines.map(redactor.redact)}
    } catch (error) {
      return planOf(error, context)
    }
  }

  async run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult> {
    const action = actionOf(spec)
    const refused = this.refuse(spec)
    if (!action || refused !== undefined) return failure(refused ?? 'refused')
    // The kubectl of a runtime that was killed lives on, and would do the same beside this one.
    if (context.recovered) signalAll(findOrphans(context.idempotencyKey), 'SIGKILL')
    const redactor = new Redactor()
    try {
      const scratch = dirname(context.directory)
      await mkdir(scratch, {recursive: true})
      const session = await this.#session(spec, redactor, {...context, scratch})
      const outcome = await action.run(session)
      return await outcomeResult(spec, outcome, redactor)
    } catch (error) {
      return failureOf(error, redactor)
    }
  }

  /** Without its rules nothing runs. Throws KubectlError. */
  async #limits(): Promise<readonly BlastLimit[]> {
    try {
      return (await this.#options.limits?.()) ?? []
    } catch {
      throw new KubectlError('the safety policy cannot be read, and without it nothing is changed', 'Failed')
    }
  }

  async #session(spec: HandlerSpec, redactor: Redactor, around: Surroundings): Promise<Session> {
    const {scope, signal, timeoutMs, directory, scratch, idempotencyKey, recovered} = around
    const values = valuesOf(scope)
    const log: LogLine = (stream, text) => around.log(stream, redactor.redact(text))
    const target = resolveTarget(spec.config, values, scope.parameters)
    const config = fillConfig(spec.config, values, valuesWithSecrets(around))
    const refused = refuseAction(target.type === undefined ? config : {...config, resource_type: target.type})
    if (refused) throw new AtomError('PARAMETER_INVALID', refused.message)
    const patch = config['action'] === 'patch' ? readPatch(config, values) : undefined
    for (const secret of secretsIn(config, patch, target)) redactor.hide(secret)
    const kubectl = this.#kubectl(around, redactor)
    const {executionId} = scope
    return {
      spec,
      config,
      values,
      target,
      patch,
      kubectl,
      caps: await Caps.of(await this.#limits(), target, kubectl),
      executionId,
      idempotencyKey,
      recovered,
      directory,
      scratch,
      timeoutMs,
      signal,
      log,
    }
  }

  #kubectl(
    {directory, scratch, signal, timeoutMs, log, secrets, idempotencyKey}: Surroundings,
    redactor: Redactor,
  ): Kubectl {
    return new Kubectl({
      file: this.#options.kubectl,
      run: this.#options.run ?? runCommand,
      graceMs: this.#options.killGraceMs,
      redact: redactor.redact,
      directory: directory ?? scratch,
      signal,
      timeoutMs,
      log,
      secrets,
      deadline: performance.now() + timeoutMs,
      environment: {...kubectlEnvironment(this.#options.environment), ATOM_IDEMPOTENCY_KEY: idempotencyKey},
    })
  }
}

type Surroundings = Omit<RunContext, 'directory'> & {
  readonly directory: string | undefined
  readonly scratch: string
}

function actionOf({config}: HandlerSpec): Action | undefined {
  const name = String(config['action'])
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name as keyof typeof ACTIONS] : undefined
}

/**
 * The target's keys are filled with more care by `resolveTarget`, a command line by the shell in the container. Secrets
 * have values only where what is filled reaches kubectl through its standard input or a file, never as an argument.
 */
function fillConfig(config: JsonObject, values: JsonObject, open: JsonObject): JsonObject {
  const places = secretFields({type: 'k8s', config})

  const filled = Object.entries(config).filter(
    ([key, value]) => key !== 'selector' && !(key === 'command' && isForShell(value)),
  )
  const kept = Object.entries(config).filter(([key]) => !filled.some(([name]) => name === key))
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(filled.map(([key, value]) => [key, fillValue(value, places.includes(key) ? open : values)])),
  }
}

/** What an action that was done means for its handler, with the outputs it declares. */
export async function outcomeResult(spec: HandlerSpec, outcome: Outcome, redactor: Redactor): Promise<HandlerResult> {
  const facts = {exitCode: outcome.exitCode ?? 0, output: bounded(redactor.redact(outcome.output))}
  const declared = Object.entries(isObject(spec.outputs) ? spec.outputs : {})
  const document = declared.length > 0 ? readable((await outcome.document?.()) ?? null) : null
  const outputs: Record<string, string> = {}
  for (const [name, pointer] of declared) {
    const value = resolvePointer(document, String(pointer))
    if (value === undefined) return failure(`the answer has nothing at ${String(pointer)} for output ${name}`, facts)
    outputs[name] = redactor.redact(textOf(value))
  }
  return {status: 'success', error: null, httpStatus: null, outputs, ...facts}
}

function bounded(text: string): string {
  const output = new HeadAndTail()
  output.push(Buffer.from(text))
  return output.text
}

/** A text is read as JSON, else as lines of name=value, else it stays what it is. */
function readable(document: Json): Json {
  if (typeof document !== 'string') return document
  const text = document.trim()
  const lines = text.split('\n').map((line) => /^\s*([A-Za-z_][\w.-]*)=(.*)$/.exec(line))
  if (lines.every((line) => line !== null))
    return Object.fromEntries(lines.map((line) => [line[1] ?? '', line[2] ?? '']))
  return parseJson(text) ?? text
}

function failureOf(error: unknown, redactor: Redactor): HandlerResult {
  if (error instanceof KubectlError)
    return failure(redactor.redact(error.message), {exitCode: error.exitCode, output: error.output, ...codeOf(error)})
  if (isAtomError(error)) return failure(redactor.redact(error.message))
  return failure(`the action failed: ${String((error as {code?: unknown}).code ?? 'unknown error')}`)
}

function codeOf({reason}: KubectlError): {code?: ErrorCode} {
  return reason === 'Denied' ? {code: 'DENIED'} : {}
}

const UNKNOWN_REASONS: ReadonlySet<string> = new Set(['Unreachable', 'TimedOut', 'Stopped'])

/** What the API refuses would fail; what cannot be asked, or an earlier handler may still make, is not known. */
function planOf(error: unknown, {earlier}: PlanContext): Plan {
  if (isAtomError(error)) {
    const isOpen = (error as {details?: {placeholder?: unknown}}).details?.placeholder !== undefined
    return isOpen ? unknown(error.message) : {outcome: 'error', lines: [error.message]}
  }
  if (!(error instanceof KubectlError)) throw error
  const mayComeYet = error.reason === 'NotFound' && earlier.some(makesObjects)
  if (mayComeYet) return unknown(`${error.message}; an earlier handler may make it`)
  if (UNKNOWN_REASONS.has(error.reason)) return unknown(error.message)
  return {outcome: 'error', lines: [error.message], ...codeOf(error)}
}

function makesObjects({type, config}: HandlerSpec): boolean {
  return type === 'shell' || (type === 'k8s' && ['create', 'apply', 'job'].includes(String(config['action'])))
}

function unknown(reason: string): Plan {
  return {outcome: 'unknown', lines: [`UNKNOWN: ${reason}`]}
}
