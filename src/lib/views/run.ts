import {printable, type Style, type View} from '@atomctl/sdk/output'
import type {ExecutionOutcome} from '@atomctl/sdk/execution'

/** The first lines of `run`, printed before the outcome is known. */
export function startedText({execution_id: id, dry_run: dryRun}: ExecutionOutcome, style: Style): string {
  return `${style.good('[SUCCESS]')} ${dryRun ? 'Dry run' : 'Execution'} started\n  Execution ID: ${id}`
}

export const runView: View<ExecutionOutcome> = {
  kind: 'Execution',
  text: (outcome, style) => {
    if (outcome.status === 'started') return startedText(outcome, style)
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
