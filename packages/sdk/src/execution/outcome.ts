import type {Execution} from '@atomctl/protocol/runtime'
import {AtomError, type ErrorCode} from '../errors.ts'

/** An execution as `run` reports it: just started, or as it ended. */
export type ExecutionOutcome = Execution & {workflow_id: string}

const FAILURES: Readonly<Record<string, {code: ErrorCode; words: string}>> = {
  failed: {code: 'EXECUTION_FAILED', words: 'Execution failed'},
  cancelled: {code: 'EXECUTION_CANCELLED', words: 'Execution cancelled'},
  rejected: {code: 'EXECUTION_REJECTED', words: 'Execution rejected'},
  rolled_back: {code: 'EXECUTION_ROLLED_BACK', words: 'Execution failed and was rolled back'},
  denied: {code: 'DENIED', words: 'Execution denied'},
  rollback_failed: {code: 'ROLLBACK_FAILED', words: 'Execution failed and its rollback failed'},
}

/** The error an ended execution means (exit codes 20–24, 5 when the safety policy forbade a step and nothing was undone), or undefined when it completed. */
export function outcomeError(outcome: ExecutionOutcome): AtomError | undefined {
  if (outcome.status === 'completed') return undefined
  const isHalfUndone = outcome.status === 'failed' && outcome.rollback?.status === 'failed'
  const kind = isHalfUndone ? 'rollback_failed' : isDenied(outcome) ? 'denied' : outcome.status
  const {code, words} = FAILURES[kind] ?? {code: 'PROTOCOL', words: `Execution ended as ${outcome.status}`}
  const reason = outcome.error_message ? `: ${outcome.error_message}` : ''
  return new AtomError(code, `${words}${reason}`, {
    hint: `atomctl logs ${outcome.execution_id}`,
    details: {execution_id: outcome.execution_id, status: outcome.status},
  })
}

/** Whoever has to clean up is told that first: only without a rollback the denial is what counts. */
function isDenied({status, error_code: code}: ExecutionOutcome): boolean {
  return status === 'failed' && code === 'DENIED'
}
