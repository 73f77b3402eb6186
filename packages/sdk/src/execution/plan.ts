import {hash} from 'node:crypto'
import type {JsonObject} from '@atomctl/wpk/canonical'
import type {VerifiedPackage} from '../enforcement.ts'
import {AtomError} from '../errors.ts'
import {readInput, writeFileSafely} from '../files/index.ts'
import type {ExecutionOutcome} from './outcome.ts'

/** How old a plan may be, in milliseconds: what it says about the target need not hold any longer. */
export const PLAN_MAX_AGE = 24 * 3_600_000
/** Clocks of two machines differ a little. */
const CLOCK_SKEW = 5 * 60_000
const LIMIT = 16 * 1024 * 1024

interface PlanFile {
  readonly apiVersion: 'atomctl/v1'
  readonly kind: 'ExecutionPlan'
  readonly workflow_id: string
  readonly document_digest: string
  readonly parameters_digest: string
  /** URL of the runtime, or `local`. */
  readonly target: string
  readonly created: string
  readonly execution_id: string
  /** What the dry run found, for people; never acted upon. */
  readonly steps: readonly {name: string; type: string; status: string}[]
  readonly log: readonly string[]
}

/** What a plan is bound to. */
export type Planned = Pick<PlanFile, 'workflow_id' | 'document_digest' | 'parameters_digest' | 'target'>

/** The binding of what is about to run. `runtimeUrl` is undefined for a run inside this process. */
export async function describePlanned(
  subject: VerifiedPackage,
  parameters: JsonObject,
  runtimeUrl: string | undefined,
): Promise<Planned> {
  const {canonicalJson} = await import('@atomctl/wpk/canonical')
  return {
    workflow_id: subject.origin === 'registry' ? subject.id : subject.verified.document.id,
    document_digest: subject.verified.digest,
    parameters_digest: `sha256:${hash('sha256', canonicalJson(parameters), 'hex')}`,
    target: runtimeUrl === undefined ? 'local' : (URL.parse(runtimeUrl)?.href ?? runtimeUrl),
  }
}

/** Saves a completed dry run, readable by its owner alone: its lines can show parameters. @throws OUTPUT_FAILED */
export async function savePlan(file: string, planned: Planned, outcome: ExecutionOutcome, now: Date): Promise<void> {
  const {execution_id, steps = [], logs = []} = outcome
  const plan: PlanFile = {
    apiVersion: 'atomctl/v1',
    kind: 'ExecutionPlan',
    ...planned,
    created: now.toISOString(),
    execution_id,
    steps: steps.map(({name, type, status}) => ({name, type, status})),
    log: logs,
  }
  await writeFileSafely(file, `${JSON.stringify(plan, undefined, 2)}\n`, {mode: 0o600})
}

/**
 * Refuses to run anything but what the plan was made for. The file is only compared with: what runs was fetched and
 * verified again. @throws CONFLICT naming everything that differs, INPUT_MISSING, INPUT_UNREADABLE
 */
export async function requirePlanned(
  file: string,
  planned: Planned,
  {now, maxAge = PLAN_MAX_AGE}: {now: Date; maxAge?: number | undefined},
): Promise<void> {
  const plan = await readPlan(file)
  const differences = [...compare(plan, planned), ...judgeAge(plan, now, maxAge)]
  if (differences.length === 0) return
  throw new AtomError('CONFLICT', `the plan ${file} is not for this run: ${differences.join('; ')}`, {
    hint: `atomctl run ${planned.workflow_id} --dry-run --wait --plan-out ${file}`,
    details: {plan: file, differences},
  })
}

async function readPlan(file: string): Promise<PlanFile> {
  const bytes = await readInput(file, LIMIT)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    value = undefined
  }
  const {planSchema} = await import('./plan-schema.ts')
  const {data} = planSchema.safeParse(value)
  if (data) return data
  throw new AtomError('INPUT_UNREADABLE', `${file} is not a plan of atomctl`, {
    hint: 'make one with atomctl run WORKFLOW --dry-run --wait --plan-out FILE',
  })
}

const NAMES: Readonly<Record<keyof Planned, string>> = {
  workflow_id: 'workflow',
  document_digest: 'document',
  parameters_digest: 'parameters',
  target: 'runtime',
}

function compare(plan: PlanFile, planned: Planned): string[] {
  const keys = Object.keys(NAMES) as (keyof Planned)[]
  return keys
    .filter((key) => plan[key] !== planned[key])
    .map((key) => `the ${NAMES[key]} was ${JSON.stringify(plan[key])} and is ${JSON.stringify(planned[key])}`)
}

function judgeAge({created}: PlanFile, now: Date, maxAge: number): string[] {
  const age = now.getTime() - Date.parse(created)
  if (age > maxAge) return [`it was made at ${created}, longer ago than ${Math.round(maxAge / 1000)} s`]
  return age < -CLOCK_SKEW ? [`it was made at ${created}, which is yet to come`] : []
}
