import type {Rehearsal} from '@atomctl/runtime/rehearsal'
import type {WpkDocument} from '@atomctl/wpk/document'

/** What the cases of a package have reached, and what not. */
export interface PackageCoverage {
  readonly package: string
  readonly steps: Count
  /** Both sides of every condition, and a second attempt where there may be one. */
  readonly branches: Count
  readonly rollbacks: Count
  readonly percent: number
  /** In words, each with the handler's name. */
  readonly missed: readonly string[]
}

export interface Count {
  readonly covered: number
  readonly total: number
}

type Kind = 'steps' | 'branches' | 'rollbacks'

interface Point {
  readonly kind: Kind
  readonly missed: string
  isReached(rehearsal: Rehearsal): boolean
}

/** Coverage of one package by all its cases. */
export function coverageOf(subject: WpkDocument, rehearsals: readonly Rehearsal[]): PackageCoverage {
  const points = pointsOf(subject).map((point) => ({...point, reached: rehearsals.some((one) => point.isReached(one))}))
  const count = (kind: Kind): Count => {
    const all = points.filter((point) => point.kind === kind)
    return {covered: all.filter(({reached}) => reached).length, total: all.length}
  }
  const counts = {steps: count('steps'), branches: count('branches'), rollbacks: count('rollbacks')}
  return {
    package: subject.id,
    ...counts,
    percent: percentOf(Object.values(counts)),
    missed: points.filter(({reached}) => !reached).map(({missed}) => missed),
  }
}

/** Rounded down: 100 means everything. */
export function percentOf(counts: readonly Count[]): number {
  const total = counts.reduce((sum, count) => sum + count.total, 0)
  const covered = counts.reduce((sum, count) => sum + count.covered, 0)
  return total === 0 ? 100 : Math.floor((covered * 100) / total)
}

type Handler = WpkDocument['wpk']['spec']['handlers'][number]

function pointsOf({wpk}: WpkDocument): Point[] {
  const {handlers, rollback} = wpk.spec
  const undoing = rollback?.enabled === true ? (rollback.handlers ?? []) : []
  return [
    ...handlers.flatMap((handler) => [reached('steps', handler), ...branchesOf(handler)]),
    ...undoing.flatMap((handler) => [reached('rollbacks', handler), ...branchesOf(handler)]),
  ]
}

function reached(kind: Kind, {name}: Handler): Point {
  return {kind, missed: `${name} never ran`, isReached: (rehearsal) => hasRun(rehearsal, name)}
}

function branchesOf({name, when, retry, type, config}: Handler): Point[] {
  const kind = 'branches'
  const points: Point[] = []
  if (when !== undefined)
    points.push(
      {kind, missed: `${name}: \`when\` never held`, isReached: (one) => hasRun(one, name)},
      {kind, missed: `${name}: \`when\` always held`, isReached: (one) => wasSkipped(one, name)},
    )
  if ((retry?.max_attempts ?? 1) > 1)
    points.push({kind, missed: `${name} was never tried again`, isReached: (one) => callsOf(one, name) > 1})
  if (type === 'api' && typeof config['condition'] === 'string' && !/\b(status|body)\b/.test(config['condition']))
    points.push(
      {kind, missed: `${name}: \`condition\` never held`, isReached: (one) => callsOf(one, name) > 0},
      {
        kind,
        missed: `${name}: \`condition\` always held`,
        isReached: (one) => hasRun(one, name) && callsOf(one, name) === 0,
      },
    )
  return points
}

function hasRun({steps}: Rehearsal, name: string): boolean {
  return steps.some((step) => step.name === name && step.attempts > 0)
}

function wasSkipped({steps}: Rehearsal, name: string): boolean {
  return steps.some((step) => step.name === name && step.status === 'skipped')
}

function callsOf({calls}: Rehearsal, name: string): number {
  return calls.filter(({step}) => step === name).length
}
