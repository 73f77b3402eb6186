import type {StepState} from '@atomctl/protocol/runtime'
import {parseTimestamp} from '@atomctl/protocol/values'
import {printable, renderTable, type View} from '@atomctl/sdk/output'
import type {ExecutionOutcome} from '@atomctl/sdk/execution'
import {decidedLines, waitingLines} from './approval.ts'
import {instant} from './list.ts'

export const statusView: View<ExecutionOutcome> = {
  kind: 'Execution',
  text: (execution) => summary(execution).join('\n'),
  wide: (execution) => [...summary(execution), ...logLines(execution)].join('\n'),
  names: ({execution_id: id}) => [id],
}

function summary(execution: ExecutionOutcome): string[] {
  const {current_step: step, error_message: error, steps} = execution
  return [
    `Execution Status: ${printable(execution.execution_id)}`,
    `  Workflow: ${printable(execution.workflow_id)}`,
    `  Status: ${printable(execution.status)}${execution.dry_run ? ' (dry run)' : ''}`,
    `  Progress: ${execution.steps_completed ?? 0}/${execution.total_steps ?? 0}`,
    ...(step && execution.status === 'running' ? [`  Current step: ${printable(step)}`] : []),
    `  Started: ${instant(execution.started_at)}`,
    `  Completed: ${instant(execution.completed_at)}`,
    ...(error ? [`  Error: ${printable(error)}`] : []),
    ...rollbackLines(execution),
    ...(execution.retry_of ? [`  Retry of: ${printable(execution.retry_of)}`] : []),
    ...(execution.break_glass ? [`  Glass broken: ${printable(execution.break_glass)}`] : []),
    ...waitingLines(execution),
    ...decidedLines(execution),
    ...(steps && steps.length > 0 ? ['', stepTable(steps)] : []),
  ]
}

function rollbackLines({rollback}: ExecutionOutcome): string[] {
  if (!rollback) return []
  const by = rollback.requested_by ? `, asked for by ${printable(rollback.requested_by)}` : ''
  return [`  Rollback: ${rollback.status}${by}`]
}

function stepTable(steps: readonly StepState[]): string {
  return renderTable(
    ['STEP', 'TYPE', 'STATUS', 'ATTEMPT', 'TOOK', 'RESULT'],
    steps.map((step) => [printable(step.name), step.type, step.status, String(step.attempt), took(step), result(step)]),
  )
}

/** Seconds between two service timestamps, or `-`. */
export function took({
  started_at: from,
  completed_at: to,
}: {
  started_at?: string | null | undefined
  completed_at?: string | null | undefined
}): string {
  const start = from ? parseTimestamp(from) : undefined
  const end = to ? parseTimestamp(to) : undefined
  return start && end ? `${((end.getTime() - start.getTime()) / 1000).toFixed(1)}s` : '-'
}

function result({exit_code: exit, http_status: status, error}: StepState): string {
  if (error) return printable(error)
  if (typeof exit === 'number') return `exit ${exit}`
  return typeof status === 'number' ? `HTTP ${status}` : '-'
}

function logLines({logs}: ExecutionOutcome): string[] {
  return logs && logs.length > 0 ? ['', 'Logs:', ...logs.map((line) => `  ${printable(line)}`)] : []
}
