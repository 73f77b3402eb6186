import type {Execution, ExecutionStatus} from '@atomctl/protocol/runtime'
import {AtomCommand, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Flags from '@oclif/core/flags'
import {executionsView} from '../lib/views/executions.ts'

export default class Executions extends AtomCommand {
  static override summary = 'List executions, newest first'
  static override examples = [
    '<%= config.bin %> executions',
    '<%= config.bin %> executions --workflow hello-shell-1.0.0 --status failed -o wide',
  ]
  static override flags = {
    ...runtimeFlag,
    workflow: Flags.string({description: 'Only executions of this workflow', helpValue: 'ID'}),
    status: Flags.string({
      description: 'Only executions in this status',
      options: ['pending', 'running', 'completed', 'failed', 'rolled_back', 'cancelled', 'rejected'],
    }),
    limit: Flags.integer({description: 'How many at most', min: 1, max: 1000, default: 50}),
    all: Flags.boolean({description: 'Every page'}),
  }

  async run(): Promise<Execution[]> {
    const {flags} = await this.parse(Executions)
    const runtime = await this.atom.runtime()
    const {executions, truncated} = await runtime
      .list(
        {
          ...(flags.workflow === undefined ? {} : {workflow_id: flags.workflow}),
          ...(flags.status === undefined ? {} : {status: flags.status as ExecutionStatus}),
          limit: flags.limit,
        },
        {all: flags.all},
      )
      .catch((error: unknown) => {
        throw describeFailure('Failed to list executions', error)
      })
    if (truncated) this.warn(`only the newest ${executions.length} are shown; add --all or a larger --limit`)
    return this.emit(executionsView, executions)
  }
}
