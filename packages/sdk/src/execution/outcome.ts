import type {Execution} from '@atomctl/protocol/runtime'
import {AtomError, type ErrorCode} from '../errors.ts'

/** An execution as `run` reports it: just started, or as it ended. */
export type ExecutionOutcome = Execution & {workflow_id: string}

interface Meaning {
  readonly code: ErrorCode
  readonly words: string
}

const ROLLBACK_FAILED: Meaning = {code: 'ROLLBACK_FAILED', words: 'Execution failed and its rollback failed'}

const FAILURES: Readonly<Record<string, Meaning>> = {
  failed: {code: 'EXECUTION_FAILED', words: 'Execution failed'},
  cancelled: {code: 'EXECUTION_CANCELLED', words: 'Execution cancelled'},
  rejected: {code: 'EXECUTION_REJECTED', words: 'Execution rejected'},
  rolled_back: {code: 'EXECUTION_ROLLED_BACK', words: 'Execution failed and was rolled back'},
}

/** Whether an execution ended, and not well. */
export function hasFailed({status}: Pick<ExecutionOutcome, 'status'>): boolean {
  return Object.hasOwn(FAILURES, status)
}

/** Codes of a step that mean more to the caller than that it failed. */
const STEP_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'DENIED',
  'SECRET_DENIED',
  'SECRET_INVALID',
  'SECRET_NOT_FOUND',
  'SECRET_UNAVAILABLE',
])

/**
 * The error an ended execution means, or undefined when it completed: exit codes 20 to 24, or that of the step's own
 * code (the safety policy forbade it, a secret had no value) when nothing had to be undone.
 */
export function outcomeError(outcome: ExecutionOutcome): AtomError | undefined {
  if (outcome.status === 'completed') return undefined
  const isHalfUndone = outcome.status === 'failed' && outcome.rollback?.status === 'failed'
  const {code, words} = isHalfUndone ? ROLLBACK_FAILED : meaningOf(outcome)
  const reason = outcome.error_message ? `: ${outcome.error_message}` : ''
  return new AtomError(code, `${words}${reason}`, {
    hint: `atomctl logs ${outcome.execution_id}`,
    details: {execution_id: outcome.execution_id, status: outcome.status},
  })
}

/** Whoever has to clean up is told that first: only without a rollback the step's own code is what counts. */
function meaningOf({status, error_code: code}: ExecutionOutcome): Meaning {
  if (status === 'failed' && code && STEP_CODES.has(code)) {
    return {code: code as ErrorCode, words: code === 'DENIED' ? 'Execution denied' : 'Execution failed'}
  }
  return FAILURES[status] ?? {code: 'PROTOCOL', words: `Execution ended as ${status}`}
}
