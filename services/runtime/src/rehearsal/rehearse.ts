import type {JsonObject} from '@atomctl/protocol/values'
import type {WpkDocument} from '@atomctl/wpk/document'
import {lint, type LintReport} from '@atomctl/wpk/lint'
import {declarationsOf} from '@atomctl/wpk/parameters'
import {ExecutionStopped} from '../engine/engine.ts'
import type {Handler} from '../handlers/handler.ts'
import {readParameters} from '../inputs.ts'
import {Interpreter} from '../interpreter.ts'
import {readProgram, type Program} from '../program.ts'
import {invalid, refuse, Refusal} from '../refusal.ts'
import {approvalNeed, type ApprovalNeed} from '../safety.ts'
import {secretNeeds} from '../secrets/needs.ts'
import {checkEnvironment, checkProgram, unsupportedHandlers} from '../support.ts'
import {decide, type ApprovalRequest} from './approval.ts'
import {RehearsalClock} from './clock.ts'
import {RehearsalCluster} from './cluster.ts'
import {realHandlers} from './handlers.ts'
import {RehearsedProgress, type RehearsedLine, type RehearsedStep} from './progress.ts'
import {RehearsedRun} from './run.ts'
import {madeUpSecrets} from './secrets.ts'
import {StandIn, Unmocked, type RecordedCall, type Script, type Stage} from './stand-in.ts'

export interface RehearsalRequest extends ApprovalRequest {
  readonly document: WpkDocument
  readonly parameters: JsonObject
  /** Made-up values of secret parameters. */
  readonly secrets: Readonly<Record<string, string>>
  readonly start: Date
  readonly script: Script
  /** Somebody cancels while this handler runs. */
  readonly cancelDuring: string | undefined
}

export type RehearsalStatus =
  | 'completed'
  | 'failed'
  | 'rolled_back'
  | 'rollback_failed'
  | 'cancelled'
  | 'rejected'
  | 'pending'
  | 'refused'

/** All that came of it. Nothing was run, written or sent. */
export interface Rehearsal {
  readonly status: RehearsalStatus
  /** Why it did not complete. */
  readonly message: string | null
  /** Of a request that the runtime would have refused. */
  readonly code: string | null
  /** Of the step that made it fail, where it has one. */
  readonly errorCode: string | null
  /** In the order in which they were reached. */
  readonly steps: readonly RehearsedStep[]
  readonly calls: readonly RecordedCall[]
  readonly lines: readonly RehearsedLine[]
  readonly elapsedMs: number
  /** The handler at which the rehearsal had to end, because the test does not know it. */
  readonly unmocked: string | null
}

const EXECUTION_ID = 'exec-test'
const DEFAULT_TIMEOUT_MS = 3_600_000
/** Of the package's files; nothing reads it, because nothing runs. */
const NOWHERE = '/rehearsal'

/**
 * Runs a package through the interpreter of the runtime with stand-ins for its handlers, on a clock of its own and
 * with nothing outside memory. What the runtime decides before and after is decided by its own code as well:
 * parameters, approvals, conditions, retries, rollback.
 */
export async function rehearse(request: RehearsalRequest): Promise<Rehearsal> {
  const clock = new RehearsalClock(request.start)
  const program = readProgram(request.document.value)
  const run = new RehearsedRun(EXECUTION_ID, clock)
  const progress = new RehearsedProgress(program.handlers, clock)
  const stage = createStage(request, clock, run)
  const handlers = standIns(program, stage)
  try {
    const report = lint(request.document.value)
    const parameters = admit(request, program, {handlers, report})
    const waiting = waitFor(request, approvalNeed(program, report), clock, progress)
    if (waiting) return {...reportOf(progress, stage), ...waiting}
    await new Interpreter(
      run,
      {program, parameters, secrets: secretNeeds(request.document.value), dryRun: false, hasFiles: false},
      {
        progress,
        handlers,
        defaultTimeoutMs: DEFAULT_TIMEOUT_MS,
        secrets: madeUpSecrets(request.secrets),
        prepare: () => Promise.resolve(NOWHERE),
        random: () => 1,
      },
    ).run()
  } catch (error) {
    return {...reportOf(progress, stage), ...(await endingOf(error, progress))}
  }
  return reportOf(progress, stage)
}

function createStage(request: RehearsalRequest, clock: RehearsalClock, run: RehearsedRun): Stage {
  const onAttempt = (step: string): void => void (step === request.cancelDuring && run.cancel())
  return {script: request.script, clock, cluster: new RehearsalCluster(), calls: [], onAttempt}
}

function standIns(program: Program, stage: Stage): ReadonlyMap<string, Handler> {
  const real = realHandlers(stage.cluster)
  const types = new Set([...program.handlers, ...program.rollback].map(({type}) => type))
  return new Map([...types].map((type) => [type, new StandIn(type, real.get(type), stage)]))
}

/** As a runtime does it before anything is stored; throws a Refusal. */
function admit(
  request: RehearsalRequest,
  program: Program,
  {handlers, report}: {handlers: ReadonlyMap<string, Handler>; report: LintReport},
): JsonObject {
  const {document, secrets} = request
  if (report.decision === 'block') throw refuse(403, 'POLICY_BLOCKED', 'The security policy blocks this package')
  const parameters = readParameters(document.value, request.parameters)
  const missing = unsupportedHandlers(program, handlers)
  if (missing.length > 0) throw refuse(501, 'NOT_SUPPORTED', `A runtime cannot run ${missing.join('; ')}`)
  const names = declarationsOf(document.value)?.map(({name}) => name) ?? []
  const problems = checkEnvironment(program, {...parameters, ...secrets})
  if (problems.length > 0) throw invalid('PARAMETER_INVALID', problems, ['parameters'])
  const findings = checkProgram(program, [...Object.keys(parameters), ...names], handlers)
  if (findings.length > 0) throw invalid('WPK_INVALID', findings, ['wpk_content'])
  return parameters
}

/** How an execution ends that does not get to run; undefined when it is approved or needs nobody. */
function waitFor(
  request: RehearsalRequest,
  need: ApprovalNeed | undefined,
  clock: RehearsalClock,
  progress: RehearsedProgress,
): Partial<Rehearsal> | undefined {
  if (!need) return undefined
  const {state, rejection, approvals} = decide(need, request, clock)
  for (const {by} of approvals) progress.log(null, 'system', `Approved by ${by}`)
  const elapsedMs = clock.elapsedMs
  if (state === 'approved') return undefined
  if (state === 'waiting') return {status: 'pending', message: need.reason, elapsedMs}
  const message = rejection ? `Rejected by ${rejection.by}: ${rejection.reason ?? ''}` : 'Nobody approved it in time'
  return {status: 'rejected', message, elapsedMs}
}

function reportOf({ending, steps, lines}: RehearsedProgress, {calls, clock}: Stage): Rehearsal {
  const status = ending?.rollback === 'failed' ? 'rollback_failed' : (ending?.status ?? 'pending')
  const message = ending?.message ?? null
  return {
    status: status === 'running' ? 'pending' : status,
    message,
    code: null,
    errorCode: ending?.code ?? null,
    steps,
    calls,
    lines,
    elapsedMs: clock.elapsedMs,
    unmocked: null,
  }
}

async function endingOf(error: unknown, progress: RehearsedProgress): Promise<Partial<Rehearsal>> {
  if (error instanceof Unmocked) return {status: 'failed', message: error.message, unmocked: error.step}
  if (error instanceof Refusal)
    return {status: 'refused', message: detailOf(error), code: String(error.body.code ?? 'REQUEST_REJECTED')}
  if (!(error instanceof ExecutionStopped)) throw error
  await progress.finish('cancelled', 'Cancelled')
  const stopped = progress.steps.map((step) =>
    step.status === 'running' ? {...step, status: 'cancelled' as const} : step,
  )
  return {status: 'cancelled', message: 'Cancelled', steps: stopped}
}

function detailOf({body}: Refusal): string {
  const {detail} = body
  return Array.isArray(detail) ? detail.map(({msg}) => msg).join('; ') : String(detail)
}
