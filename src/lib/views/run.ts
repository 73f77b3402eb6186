import {printable, type Style, type View} from '@atomctl/sdk/output'
import type {ExecutionOutcome} from '@atomctl/sdk/execution'
import {waitingLines} from './approval.ts'

/** The first lines of `run`, printed before the outcome is known. */
export function startedText(started: ExecutionOutcome, style: Style): string {
  const {execution_id: id, dry_run: dryRun} = started
  const first = `${style.good('[SUCCESS]')} ${dryRun ? 'Dry run' : 'Execution'} started`
  return [first, `  Execution ID: ${id}`, ...waitingLines(started)].join('\n')
}

export const runView: View<ExecutionOutcome> = {
  kind: 'Execution',
  text: (outcome, style) => {
    if (outcome.status === 'started' || outcome.status === 'pending') return startedText(outcome, style)
    const label = style.good('[SUCCESS]')
    if (!outcome.dry_run) return `${label} Execution completed successfully`
    return [...planLines(outcome), `${label} Dry run completed successfully`].join('\n')
  },
  names: ({execution_id: id}) => [id],
}

/** What a dry run found out: its log is its result. */
function planLines({logs = []}: ExecutionOutcome): string[] {
  return logs.length === 0 ? [] : ['', 'Plan:', ...logs.map((line) => `  ${printable(line)}`), '']
}
