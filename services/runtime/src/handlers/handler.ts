import type {Json, JsonObject} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import type {HandlerSpec} from '../program.ts'
import type {SecretErrorCode} from '../secrets/errors.ts'
import type {SecretNeed} from '../secrets/needs.ts'
import type {StepSecrets} from '../secrets/step.ts'

/** What a handler may use: parameters first, then what earlier handlers put out. */
export interface Scope {
  readonly executionId: string
  readonly parameters: JsonObject
  readonly outputs: Readonly<Record<string, string>>
}

export type LogLine = (stream: 'stdout' | 'stderr' | 'system', text: string) => void

export interface RunContext {
  readonly scope: Scope
  /** Aborts when the execution is cancelled or the runtime stops: end what was started, then return. */
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** The same for every attempt at this step, also after a crash: the receiver may use it to act once. */
  readonly idempotencyKey: string
  /** An earlier process may have been killed while it ran this step. */
  readonly recovered: boolean
  /** This execution's own directory, holding the package's files. */
  readonly directory: string
  readonly log: LogLine
  /** What `scope` has no values of. Whatever a program writes goes through `secrets.filter` first. */
  readonly secrets: StepSecrets
}

/** What kind of failure it is, where a caller should tell it from others: the safety policy forbids the step, or a secret has no value. */
export type ErrorCode = 'DENIED' | SecretErrorCode

/** Recorded by the engine, so it holds no secret and nothing unbounded. */
export interface HandlerResult {
  readonly status: 'success' | 'error'
  readonly error: string | null
  readonly code?: ErrorCode
  readonly exitCode: number | null
  readonly httpStatus: number | null
  /** Head and tail of what was put out, at most 64 KiB. */
  readonly output: string
  readonly outputs: Readonly<Record<string, string>>
  /** Another attempt would come out the same, so none is made. */
  readonly isFinal?: true
}

/** What a handler would do. `unknown`: it cannot tell without doing it. */
export interface Plan {
  readonly outcome: 'ready' | 'unknown' | 'error'
  readonly lines: readonly string[]
  readonly code?: ErrorCode
}

export interface PlanContext {
  /** Aborts when the dry run is cancelled. */
  readonly signal: AbortSignal
  /** Handlers that would have run by then. */
  readonly earlier: readonly HandlerSpec[]
  /** Of the step, where one that is planned must not look like another; default one for the whole plan. */
  readonly idempotencyKey?: string
  /** Secrets that the handler would be given; a dry run reads none. */
  readonly secrets?: readonly SecretNeed[]
  /** Values of them, which a rehearsal makes up. */
  readonly given?: StepSecrets
}

/** One handler type. Stateless: everything it needs comes in with the call. */
export interface Handler {
  readonly type: string
  /** Why this handler could never run as written; `path` is relative to the handler. */
  check(spec: HandlerSpec): Finding[]
  /** Why this runtime refuses to run what is well-formed: there is nothing it could honestly do. */
  refuse?(spec: HandlerSpec): string | undefined
  plan(spec: HandlerSpec, scope: Scope, context: PlanContext): Plan | Promise<Plan>
  /** Never throws for what a package or its surroundings do wrong: that is a result with status `error`. */
  run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult>
}

/** Values for a place in which a secret may stand: headers, bodies, environments, manifests. */
export function valuesWithSecrets({
  scope,
  secrets,
}: Pick<RunContext, 'scope'> & Partial<Pick<RunContext, 'secrets'>>): JsonObject {
  return {...valuesOf(scope), ...secrets?.values}
}

export function failure(error: string, facts: Partial<HandlerResult> = {}): HandlerResult {
  return {exitCode: null, httpStatus: null, output: '', outputs: {}, ...facts, status: 'error', error}
}

/** Parameter and output values by name; a parameter is never replaced by an output. */
export function valuesOf(scope: Scope): JsonObject {
  return {...scope.outputs, ...scope.parameters}
}

/** A value as text: strings as they are, everything else as JSON. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function finding(rule: string, path: string, message: string, suggestion?: string): Finding {
  return {rule, severity: 'error', message, path, ...(suggestion === undefined ? {} : {suggestion})}
}
