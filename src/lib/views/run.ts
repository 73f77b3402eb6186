import type {Style, View} from '@atomctl/sdk/output'
import type {ExecutionOutcome} from '../execution/outcome.ts'

/** The first lines of `run`, printed before the outcome is known. */
export function startedText({execution_id: id, dry_run: dryRun}: ExecutionOutcome, style: Style): string {
  return `${style.good('[SUCCESS]')} ${dryRun ? 'Dry run' : 'Execution'} started\n  Execution ID: ${id}`
}

export const runView: View<ExecutionOutcome> = {
  kind: 'Execution',
  text: (outcome, style) => {
    if (outcome.status === 'started') return startedText(outcome, style)
    return `${style.good('[SUCCESS]')} ${outcome.dry_run ? 'Dry run' : 'Execution'} completed successfully`
  },
  names: ({execution_id: id}) => [id],
}
