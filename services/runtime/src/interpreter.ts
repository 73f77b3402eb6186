import type {JsonObject} from '@atomctl/protocol/values'
import {backoffAfter} from './backoff.ts'
import type {Durable} from './engine/engine.ts'
import {evaluate, parseCondition} from './expressions.ts'
import {failure, type ErrorCode, type Handler, type HandlerResult, type Plan, type Scope} from './handlers/handler.ts'
import type {HandlerSpec, Program} from './program.ts'
import type {Finished, Phase, Progress} from './progress.ts'
import {rollbackOrder} from './rollback.ts'
import {ExecutionSecrets, secretFailure, type SecretSource} from './secrets/execution.ts'
import {describeNeed, type SecretNeed} from './secrets/needs.ts'
import {secretsNamedBy} from '@atomctl/wpk/parameters'

const LONGEST_LINE = 4_000

export interface Job {
  readonly program: Program
  /** Without its secrets. */
  readonly parameters: JsonObject
  readonly secrets?: readonly SecretNeed[]
  readonly dryRun: boolean
  /** The package brings files along, which are fetched before the first handler runs. */
  readonly hasFiles: boolean
  /** Whose directory, keys and name it is; default the engine's id. */
  readonly executionId?: string
  /** Steps that are done already, by position: of an execution that this one carries on, or that it undoes. */
  readonly carried?: ReadonlyMap<number, CarriedResult>
}

export interface CarriedResult {
  /** Otherwise it was skipped. */
  readonly completed: boolean
  readonly outputs: Readonly<Record<string, string>>
}

export interface Surroundings {
  readonly progress: Progress
  readonly handlers: ReadonlyMap<string, Handler>
  readonly defaultTimeoutMs: number
  /** Absent: there are none. */
  readonly secrets?: SecretSource
  /** Makes this execution's directory with the package's files in it; calling it again changes nothing. */
  prepare(signal: AbortSignal): Promise<string>
  /** Between 0 and 1. */
  random(): number
}

type StepOutcome = 'done' | 'skipped' | 'failed'

/**
 * Runs one execution: handlers in order, each attempt a durable step, then rollback handlers when one failed.
 * Knows neither the engine nor the database. Everything outside `durable.step` is repeated after a crash and must
 * come out the same.
 */
export class Interpreter {
  readonly #durable: Durable
  readonly #job: Job
  readonly #around: Surroundings
  readonly #secrets: ExecutionSecrets
  readonly #completed: HandlerSpec[] = []
  #outputs: Record<string, string> = {}
  #failure: string | undefined
  #code: ErrorCode | undefined

  constructor(durable: Durable, job: Job, surroundings: Surroundings) {
    this.#durable = durable
    this.#job = job
    this.#around = surroundings
    this.#secrets = new ExecutionSecrets((surroundings.secrets && job.secrets) ?? [], surroundings.secrets)
  }

  async run(): Promise<void> {
    const {progress} = this.#around
    await progress.begin()
    await this.#prepare()
    if (await this.#runHandlers()) await progress.finish('completed', null)
    else await this.#fail()
  }

  /**
   * Undoes the steps carried over, last first, and answers what failed. `done` are rollback steps that an earlier try
   * completed.
   */
  async rollBack(done: ReadonlySet<number>): Promise<string[]> {
    for (const [position, spec] of this.#job.program.handlers.entries()) this.#carry(position, spec)
    return this.#undo(rollbackOrder(this.#job.program.rollback, this.#completed), done)
  }

  /** Before the first handler, so that a package with wrong files does nothing at all. */
  async #prepare(): Promise<void> {
    if (this.#job.dryRun || !this.#job.hasFiles) return
    const prepared = await this.#durable.step('prepare', (signal) => this.#directory(signal))
    if ('problem' in prepared) this.#failure = prepared.problem
  }

  async #runHandlers(): Promise<boolean> {
    if (this.#failure !== undefined) return false
    for (const [position, spec] of this.#job.program.handlers.entries()) {
      if (this.#carry(position, spec)) continue
      const outcome = this.#job.dryRun
        ? await this.#planStep('handler', position, spec)
        : await this.#runStep('handler', position, spec)
      if (outcome === 'failed') return false
      if (outcome === 'done') this.#completed.push(spec)
    }
    if (this.#job.dryRun) await this.#planRollback()
    return true
  }

  async #planRollback(): Promise<void> {
    const {rollback, handlers} = this.#job.program
    if (rollback.length === 0) return
    const steps = rollbackOrder(rollback, handlers)
    await this.#around.progress.plan('rollback', steps, 'If a handler failed, these would run:')
    for (const [position, spec] of steps.entries()) await this.#planStep('rollback', position, spec)
  }

  async #fail(): Promise<void> {
    const {progress} = this.#around
    const failed = this.#failure ?? 'failed'
    const code = this.#code
    const steps = this.#job.dryRun ? [] : rollbackOrder(this.#job.program.rollback, this.#completed)
    if (steps.length === 0) return void (await progress.finish('failed', failed, {code}))
    await progress.plan('rollback', steps, 'Starting rollback...')
    const problems = await this.#undo(steps)
    if (problems.length === 0)
      return void (await progress.finish('rolled_back', failed, {
        line: 'Rollback completed',
        rollback: 'completed',
        code,
      }))
    const text = problems.join('; ')
    const line = `Rollback failed: ${text}`
    await progress.finish('failed', `${failed}; rollback failed: ${text}`, {line, rollback: 'failed', code})
  }

  /** Goes on after a step that fails, and answers what failed. */
  async #undo(steps: readonly HandlerSpec[], done: ReadonlySet<number> = new Set()): Promise<string[]> {
    const problems: string[] = []
    for (const [position, spec] of steps.entries()) {
      if (done.has(position)) continue
      this.#failure = undefined
      if ((await this.#runStep('rollback', position, spec)) === 'failed') problems.push(this.#failure ?? spec.name)
    }
    return problems
  }

  /** True when the step was done by an execution before this one. */
  #carry(position: number, spec: HandlerSpec): boolean {
    const result = this.#job.carried?.get(position)
    if (result?.completed) this.#completed.push(spec)
    this.#outputs = {...this.#outputs, ...result?.outputs}
    return result !== undefined
  }

  async #runStep(phase: Phase, position: number, spec: HandlerSpec): Promise<StepOutcome> {
    if (this.#isSkipped(spec)) return this.#skip(phase, position, spec)
    for (let attempt = 1; ; attempt += 1) {
      await this.#around.progress.startStep(phase, position, attempt)
      const name = `${phase} ${position} ${spec.name}`
      const result = await this.#durable.step(`${name} #${attempt}`, async (signal) => {
        const attempted = await this.#attempt(phase, position, spec, signal)
        const isTriedAgain = attempt < spec.maxAttempts && !isFinal(attempted) && !signal.aborted
        if (attempted.status === 'error' && isTriedAgain)
          this.#log(spec, `attempt ${attempt} of ${spec.maxAttempts} failed: ${attempted.error ?? 'unknown error'}`)
        await this.#around.progress.flush()
        return attempted
      })
      if (result.status === 'success') return this.#succeed(phase, position, spec, result)
      if (attempt >= spec.maxAttempts || isFinal(result)) return this.#giveUp(phase, position, spec, result)
      const pause = backoffAfter(spec, attempt, this.#around.random)
      await this.#durable.pause(`${name} backoff ${attempt}`, pause)
    }
  }

  async #attempt(phase: Phase, position: number, spec: HandlerSpec, signal: AbortSignal): Promise<HandlerResult> {
    const {progress, handlers, defaultTimeoutMs} = this.#around
    const handler = handlers.get(spec.type)
    if (!handler) return failure(`Unknown handler type: ${spec.type}`)
    const directory = await this.#directory(signal)
    if ('problem' in directory) return failure(directory.problem)
    const opening = {before: this.#before(phase, position), mustRun: phase === 'rollback', signal}
    const secrets = await this.#secrets.open(spec, opening).catch(secretFailure)
    if ('status' in secrets) return secrets
    const result = await handler.run(spec, {
      scope: this.#scope(),
      signal,
      timeoutMs: spec.timeoutMs ?? defaultTimeoutMs,
      idempotencyKey: `${this.#executionId}/${phase}/${position}`,
      recovered: this.#durable.recovered,
      directory: directory.path,
      log: (stream, text) => progress.log(spec.name, stream, secrets.redact(text)),
      secrets,
    })
    return secrets.clean(result)
  }

  /** The handlers whose secrets this process may never have read, though what they did is there. */
  #before(phase: Phase, position: number): readonly HandlerSpec[] {
    const {handlers, rollback} = this.#job.program
    const isFromStart = !this.#durable.recovered && (this.#job.carried?.size ?? 0) === 0
    if (isFromStart) return []
    return phase === 'handler' ? handlers.slice(0, position) : [...handlers, ...rollback]
  }

  async #directory(signal: AbortSignal): Promise<{path: string} | {problem: string}> {
    try {
      return {path: await this.#around.prepare(signal)}
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return {problem: `The package's files cannot be prepared: ${reason}`}
    }
  }

  async #planStep(phase: Phase, position: number, spec: HandlerSpec): Promise<StepOutcome> {
    if (this.#isSkipped(spec)) return this.#skip(phase, position, spec)
    const {progress} = this.#around
    await progress.startStep(phase, position, 1)
    const plan = await this.#durable.step(`plan ${phase} ${position}`, async (signal) => {
      const made = await this.#plan(phase, position, spec, signal)
      for (const line of made.lines) progress.log(null, 'system', `${title(phase)} ${spec.name}: ${shorten(line)}`)
      await progress.flush()
      return made
    })
    const error = plan.outcome === 'error' ? (plan.lines.at(-1) ?? 'cannot be planned') : null
    if (error !== null) this.#failure = `Handler ${spec.name} failed: ${error}`
    this.#code = plan.code
    const finished = {...NOTHING, status: error === null ? ('completed' as const) : ('failed' as const), error}
    await progress.finishStep(phase, position, finished, `${title(phase)} ${spec.name}: ${PLAN_WORDS[plan.outcome]}`)
    return error === null ? 'done' : 'failed'
  }

  async #plan(phase: Phase, position: number, spec: HandlerSpec, signal: AbortSignal): Promise<Plan> {
    const handler = this.#around.handlers.get(spec.type)
    const {handlers} = this.#job.program
    const earlier = phase === 'handler' ? handlers.slice(0, position) : handlers
    const secrets = this.#secretsOf(spec)
    if (handler) return this.#planSecrets(spec, await handler.plan(spec, this.#scope(), {signal, earlier, secrets}))
    const available = [...this.#around.handlers.keys()].join(', ')
    const line = `UNKNOWN: this runtime has no handler for type ${spec.type} and would refuse to run it`
    return {outcome: 'unknown', lines: [`${line} (available: ${available})`]}
  }

  #secretsOf(spec: HandlerSpec): SecretNeed[] {
    const {secrets = []} = this.#job
    const named = secretsNamedBy(
      spec,
      secrets.map(({name}) => name),
    )
    return secrets.filter(({name}) => named.includes(name))
  }

  /** A dry run reads no secret; it says where one would come from, and whether that could ever be. */
  #planSecrets(spec: HandlerSpec, plan: Plan): Plan {
    const secrets = this.#secretsOf(spec)
    const refusals = secrets.flatMap((need) => this.#around.secrets?.refuse(need) ?? [])
    const lines = secrets.map((need) => `would read ${describeNeed(need)}`)
    if (refusals.length > 0) return {outcome: 'error', lines: [...lines, ...plan.lines, ...refusals]}
    return {...plan, lines: [...lines, ...plan.lines]}
  }

  /** A condition on something that has no value does not hold; only a dry run, where outputs are missing, goes on. */
  #isSkipped(spec: HandlerSpec): boolean {
    if (spec.when === undefined) return false
    const holds = evaluate(parseCondition(spec.when), {...this.#outputs, ...this.#job.parameters})
    return this.#job.dryRun ? holds === false : holds !== true
  }

  async #skip(phase: Phase, position: number, spec: HandlerSpec): Promise<StepOutcome> {
    const line = `${title(phase)} ${spec.name}: skipped, because ${spec.when} does not hold`
    await this.#around.progress.finishStep(phase, position, {...NOTHING, status: 'skipped'}, line)
    return 'skipped'
  }

  async #succeed(phase: Phase, position: number, spec: HandlerSpec, result: HandlerResult): Promise<StepOutcome> {
    this.#outputs = {...this.#outputs, ...result.outputs}
    const line = `${title(phase)} ${spec.name}: success`
    await this.#around.progress.finishStep(phase, position, finishedStep('completed', result), line)
    return 'done'
  }

  async #giveUp(phase: Phase, position: number, spec: HandlerSpec, result: HandlerResult): Promise<StepOutcome> {
    this.#failure = shorten(`Handler ${spec.name} failed: ${result.error ?? 'unknown error'}`)
    this.#code = result.code
    const line = `${title(phase)} ${spec.name}: error`
    await this.#around.progress.finishStep(phase, position, finishedStep('failed', result), line)
    return 'failed'
  }

  get #executionId(): string {
    return this.#job.executionId ?? this.#durable.executionId
  }

  #log(spec: HandlerSpec, text: string): void {
    this.#around.progress.log(spec.name, 'system', shorten(text))
  }

  #scope(): Scope {
    return {executionId: this.#executionId, parameters: this.#job.parameters, outputs: this.#outputs}
  }
}

/** What is forbidden does not become allowed by asking again. */
function isFinal({code, isFinal: said}: HandlerResult): boolean {
  return said === true || code === 'DENIED'
}

/** Plans and messages are read by people; a long command or body is cut. */
function shorten(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)}… (${line.length} characters)`
}

const PLAN_WORDS = {ready: 'success', unknown: 'unknown', error: 'error'} as const
const NOTHING = {exit_code: null, http_status: null, error: null, output: null} as const

/** The protocol's log lines say `Handler x: success` and `Rollback x: success`. */
function title(phase: Phase): string {
  return phase === 'handler' ? 'Handler' : 'Rollback'
}

function finishedStep(status: Finished['status'], result: HandlerResult): Finished {
  const {exitCode, httpStatus, error, output, outputs} = result
  return {status, exit_code: exitCode, http_status: httpStatus, error, output: output || null, outputs}
}
