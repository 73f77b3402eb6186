import type {Json} from '@atomctl/protocol/values'
import type {Rehearsal} from '@atomctl/runtime/rehearsal'
import {outcomeError} from '@atomctl/sdk/execution'
import {formatPath, parseDuration} from '@atomctl/wpk/document'
import type {TestExpectation} from '@atomctl/wpk/tests'
import {compareCalls, type Difference} from './calls.ts'
import {differenceOf, mismatchOf, quote} from './matching.ts'

/** Everything that is not as expected; none when the case passes. `secrets` must never be anywhere. */
export function compare(
  expected: TestExpectation,
  rehearsal: Rehearsal,
  secrets: Readonly<Record<string, string>>,
): Difference[] {
  if (rehearsal.unmocked !== null)
    return [{path: '', message: `${rehearsal.unmocked} was reached and has no mock, so nothing ran any further`}]
  return [
    ...compareStatus(expected, rehearsal),
    ...compareSteps(expected, rehearsal),
    ...Object.entries(expected.calls ?? {}).flatMap(([name, calls]) =>
      compareCalls(
        name,
        calls,
        rehearsal.calls.filter(({step}) => step === name),
      ),
    ),
    ...compareOutputs(expected, rehearsal),
    ...compareError(expected, rehearsal),
    ...compareElapsed(expected, rehearsal),
    ...compareTexts(expected, rehearsal, secrets),
  ]
}

function compareStatus({status = 'completed'}: TestExpectation, rehearsal: Rehearsal): Difference[] {
  if (rehearsal.status === status) return []
  const why = rehearsal.message === null ? '' : `: ${rehearsal.message}`
  const hint = rehearsal.status === 'pending' ? '; say who decides under approvals' : ''
  return [{path: 'status', message: `expected status ${status}, got ${rehearsal.status}${why}${hint}`}]
}

/** Names of what ran, rollback handlers after handlers, and of what a condition left out. */
export function namesOf({steps}: Rehearsal): Record<'order' | 'rollbacks' | 'skipped', string[]> {
  const ran = steps.filter(({status}) => status !== 'skipped' && status !== 'pending')
  return {
    order: ran.map(({name}) => name),
    rollbacks: ran.filter(({phase}) => phase === 'rollback').map(({name}) => name),
    skipped: steps.filter(({status}) => status === 'skipped').map(({name}) => name),
  }
}

function compareSteps(expected: TestExpectation, rehearsal: Rehearsal): Difference[] {
  const names = namesOf(rehearsal)
  return (['order', 'rollbacks', 'skipped'] as const).flatMap((key) => {
    const wanted = expected[key]
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(names[key])) return []
    return [{path: key, message: `expected ${key} ${listed(wanted)}, got ${listed(names[key])}`}]
  })
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(' → ')
}

function compareOutputs({outputs}: TestExpectation, {steps}: Rehearsal): Difference[] {
  const found: Record<string, string> = Object.assign({}, ...steps.map((step) => step.outputs))
  return Object.entries(outputs ?? {}).flatMap(([name, value]) => {
    const wanted = typeof value === 'string' ? value : JSON.stringify(value)
    const message = differenceOf(wanted, found[name])
    return message === undefined ? [] : [{path: formatPath(['outputs', name]), message: `${name}: ${message}`}]
  })
}

/** The code that `run --wait` would exit with, or that of a request the runtime refuses. */
export function codeOf({status, code, errorCode, message}: Rehearsal): string | undefined {
  if (code !== null) return code
  if (status === 'pending') return 'APPROVAL_PENDING'
  const known = {execution_id: 'exec-test', workflow_id: '', error_code: errorCode, error_message: message}
  // on the wire an execution whose rollback failed has failed, and says the rest of its rollback
  if (status === 'rollback_failed')
    return outcomeError({...known, status: 'failed', rollback: {status: 'failed', requested_by: null}})?.code
  return outcomeError({...known, status})?.code
}

function compareError({error}: TestExpectation, rehearsal: Rehearsal): Difference[] {
  const code = codeOf(rehearsal)
  const differences: Difference[] = []
  if (error?.code !== undefined && error.code !== code)
    differences.push({path: 'error.code', message: `expected code ${error.code}, got ${code ?? 'none'}`})
  const message = error?.message === undefined ? undefined : mismatchOf(error.message, rehearsal.message ?? '')
  if (message !== undefined) differences.push({path: 'error.message', message})
  return differences
}

function compareElapsed({elapsed}: TestExpectation, {elapsedMs}: Rehearsal): Difference[] {
  const {at_least: least, at_most: most} = elapsed ?? {}
  const wrong = (key: string, bound: string): Difference => {
    return {path: `elapsed.${key}`, message: `expected ${key.replace('_', ' ')} ${bound}, got ${elapsedMs} ms`}
  }
  return [
    ...(least !== undefined && elapsedMs < (parseDuration(least) ?? 0) ? [wrong('at_least', least)] : []),
    ...(most !== undefined && elapsedMs > (parseDuration(most) ?? 0) ? [wrong('at_most', most)] : []),
  ]
}

/** Texts that must be in the log, and those that must be nowhere. */
function compareTexts(
  {logs = [], redaction = []}: TestExpectation,
  rehearsal: Rehearsal,
  secrets: Readonly<Record<string, string>>,
): Difference[] {
  const log = rehearsal.lines.map(({text}) => text).join('\n')
  const everything = textsIn(rehearsal as unknown as Json)
  const holds = (text: string): boolean => everything.some((one) => one.includes(text))
  return [
    ...logs.flatMap((text, index) => (log.includes(text) ? [] : [lineMissing(text, index, log)])),
    ...redaction.flatMap((text, index) =>
      holds(text) ? [{path: `redaction[${index}]`, message: `${quote(text)} is in what the execution leaves`}] : [],
    ),
    ...Object.entries(secrets).flatMap(([name, value]) =>
      value.length > 2 && holds(value) ? [{path: '', message: `the value of the secret ${name} comes out`}] : [],
    ),
  ]
}

function lineMissing(text: string, index: number, log: string): Difference {
  return {path: `logs[${index}]`, message: `${quote(text)} is not in the log: ${quote(log)}`}
}

/** Every string of a value, keys included. */
function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return Object.entries(value).flatMap(([key, child]) => [key, ...textsIn(child)])
}
