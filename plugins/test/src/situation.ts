import type {JsonObject} from '@atomctl/protocol/values'
import type {Mocked, RehearsalRequest, RehearsedDecision, Script} from '@atomctl/runtime/rehearsal'
import {parseDuration, type WpkDocument} from '@atomctl/wpk/document'
import type {TestCase, TestMocks, TestResult, WpkTest} from '@atomctl/wpk/tests'

/** The time at which every rehearsal begins if its test says nothing. */
const START = '2026-01-01T00:00:00Z'
const REQUESTER = 'requester'

/** What a case asks of the runtime, its file's defaults filled in. */
export function requestOf(subject: WpkDocument, {defaults = {}}: WpkTest, one: TestCase): RehearsalRequest {
  const {requested_by, quorum, approvals} = {...defaults, ...one}
  const clock = {...defaults.clock, ...one.clock}
  const mocks = {...defaults.mocks, ...one.mocks} as TestMocks
  return {
    document: subject,
    parameters: {...defaults.parameters, ...one.parameters} as JsonObject,
    secrets: {...defaults.secrets, ...one.secrets},
    start: new Date(clock.start ?? START),
    script: scriptOf(mocks, milliseconds(clock.step) ?? 0),
    cancelDuring: one.cancel?.during,
    requestedBy: requested_by ?? REQUESTER,
    quorum: quorum ?? 1,
    decisions: (approvals ?? []).map(decisionOf),
  }
}

type Decided = NonNullable<TestCase['approvals']>[number]

function decisionOf({by = 'approver', decision = 'approve', reason, after}: Decided): RehearsedDecision {
  return {by, decision, reason: reason ?? null, afterMs: milliseconds(after)}
}

/** Attempts as the mocks have them; the last of several results stands for all further attempts. */
export function scriptOf(mocks: TestMocks, stepMs: number): Script {
  const attempts = new Map(
    Object.entries(mocks).map(([name, mock]) => {
      const results = Array.isArray(mock) ? (mock as readonly TestResult[]) : [mock as TestResult]
      return [name, results.flatMap((result) => attemptsOf(result, stepMs))]
    }),
  )
  return (name, attempt) => attempts.get(name)?.at(Math.min(attempt, attempts.get(name)?.length ?? 0) - 1)
}

function attemptsOf(result: TestResult, stepMs: number): Mocked[] {
  const {fail_times: times, duration, ...rest} = result
  const mocked = {...rest, durationMs: milliseconds(duration) ?? stepMs} as Mocked
  if (times === undefined) return [mocked]
  const {exit_code, http_status, error, timeout, ...success} = mocked
  const says = exit_code !== undefined || http_status !== undefined || error !== undefined || timeout === true
  const failing = says
    ? {...mocked, outputs: undefined}
    : {...mocked, outputs: undefined, error: `fails ${times} times`}
  return [...Array.from({length: times}, () => failing), success]
}

function milliseconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration)
}
