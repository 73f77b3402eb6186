import type {Execution} from '@atomctl/protocol/runtime'
import {printable, renderTable, type View} from '@atomctl/sdk/output'
import {instant} from './list.ts'
import {took} from './status.ts'

export const executionsView: View<Execution[]> = {
  kind: 'ExecutionList',
  text: (executions) =>
    executions.length === 0
      ? 'No executions found'
      : renderTable(['ID', 'WORKFLOW', 'STATUS', 'PROGRESS', 'STARTED', 'TOOK'], executions.map(row)),
  names: (executions) => executions.map(({execution_id: id}) => id),
  items: (executions) => executions,
}

function row(execution: Execution): string[] {
  return [
    printable(execution.execution_id),
    printable(execution.workflow_id ?? '-'),
    `${execution.status}${execution.dry_run ? ' (dry run)' : ''}`,
    `${execution.steps_completed ?? 0}/${execution.total_steps ?? 0}`,
    instant(execution.started_at),
    took(execution),
  ]
}
