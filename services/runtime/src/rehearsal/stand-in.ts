import type {Json, JsonObject} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'
import {unsentRequest} from '../handlers/api.ts'
import {failure, type Handler, type HandlerResult, type Plan, type RunContext} from '../handlers/handler.ts'
import type {HandlerSpec} from '../program.ts'
import {describeCall, type RehearsedCall} from './calls.ts'
import type {RehearsalClock} from './clock.ts'
import type {RehearsalCluster} from './cluster.ts'
import {isMissingOutput, resultOf, type MockedAttempt} from './result.ts'
import {redactTexts} from './secrets.ts'

/** One attempt as a test has it. */
export interface Mocked extends MockedAttempt {
  /** In milliseconds; one that is longer than the handler may take ends as a timeout does. */
  readonly durationMs?: number | undefined
  readonly timeout?: boolean | undefined
  readonly objects?: readonly JsonObject[] | undefined
}

/** What attempts come to; undefined for a handler that the test does not know. */
export type Script = (name: string, attempt: number) => Mocked | undefined

export interface RecordedCall extends RehearsedCall {
  readonly step: string
  readonly attempt: number
}

/** A handler was reached that the test does not know: nothing may run, so the rehearsal ends there. */
export class Unmocked extends Error {
  readonly step: string

  constructor(step: string) {
    super(`${step} was reached and has no mock`)
    this.step = step
  }
}

/** What all stand-ins of a rehearsal share. */
export interface Stage {
  readonly script: Script
  readonly clock: RehearsalClock
  readonly cluster: RehearsalCluster
  readonly calls: RecordedCall[]
  /** Before the attempt is judged. */
  onAttempt(step: string): void
}

/**
 * Takes the place of a handler type. It asks the real handler what it would do, writes that down, and answers what the
 * test says: it has no way to do anything.
 */
export class StandIn implements Handler {
  readonly type: string
  readonly #real: Handler | undefined
  readonly #stage: Stage
  readonly #attempts = new Map<string, number>()

  constructor(type: string, real: Handler | undefined, stage: Stage) {
    this.type = type
    this.#real = real
    this.#stage = stage
  }

  check(spec: HandlerSpec): Finding[] {
    return this.#real?.check(spec) ?? []
  }

  refuse(spec: HandlerSpec): string | undefined {
    return this.#real?.refuse?.(spec)
  }

  plan(): Plan {
    return {outcome: 'unknown', lines: ['UNKNOWN: a rehearsal plans nothing']}
  }

  async run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult> {
    const unsent = spec.type === 'api' ? unsentRequest(spec, context) : undefined
    if (unsent) return unsent
    const attempt = (this.#attempts.get(context.idempotencyKey) ?? 0) + 1
    this.#attempts.set(context.idempotencyKey, attempt)
    const mocked = this.#stage.script(spec.name, attempt)
    if (mocked === undefined) throw new Unmocked(spec.name)
    this.#stage.cluster.add(mocked.objects ?? [])
    const problem = await this.#record(spec, context, attempt)
    this.#stage.onAttempt(spec.name)
    if (problem !== undefined) return failure(problem)
    return this.#attempt(spec, context, mocked)
  }

  /** Why the values make nothing that could be run. */
  async #record(spec: HandlerSpec, context: RunContext, attempt: number): Promise<string | undefined> {
    const {cluster, calls} = this.#stage
    const {redact} = context.secrets
    cluster.discard()
    try {
      const call = await describeCall(spec, context, {handler: this.#real, cluster})
      const redacted = redactTexts(call as Json, redact) as RehearsedCall
      calls.push({step: spec.name, attempt, ...redacted})
      return undefined
    } catch (error) {
      if (isAtomError(error)) return error.message
      throw error
    }
  }

  async #attempt(spec: HandlerSpec, context: RunContext, mocked: Mocked): Promise<HandlerResult> {
    const {clock, cluster} = this.#stage
    const {timeoutMs} = context
    const duration = mocked.timeout === true ? timeoutMs : (mocked.durationMs ?? 0)
    const isLate = mocked.timeout === true || duration > timeoutMs
    clock.advance(isLate ? timeoutMs : duration)
    if (context.signal.aborted) return failure('stopped')
    if (isLate) return failure(`timed out after ${timeoutMs} ms`)
    const result = await resultOf(spec, mocked)
    for (const line of result.output === '' ? [] : result.output.trimEnd().split('\n')) context.log('stdout', line)
    if (result.status === 'error') return result
    const missing = isMissingOutput(spec, result)
    if (missing !== undefined) return failure(`the mock gives no output ${missing}, which the handler declares`, result)
    cluster.commit()
    return result
  }
}
