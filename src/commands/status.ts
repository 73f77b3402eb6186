import {AtomCommand, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {durationFlag} from '../lib/duration-flag.ts'
import {type ExecutionOutcome, outcomeError, waitForExecution} from '@atomctl/sdk/execution'
import {statusView} from '../lib/views/status.ts'

export default class Status extends AtomCommand {
  static override summary = 'Show an execution'
  static override description =
    'With --watch, follows the execution to its end and exits with its outcome, like run --wait.'
  static override examples = [
    '<%= config.bin %> status 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11',
    '<%= config.bin %> status 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 --watch',
  ]
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {
    ...runtimeFlag,
    watch: Flags.boolean({char: 'w', description: 'Follow it to its end'}),
    timeout: durationFlag({description: 'With --watch: how long to follow'}),
  }

  async run(): Promise<ExecutionOutcome> {
    const {args, flags} = await this.parse(Status)
    const runtime = await this.atom.runtime()
    const current = await runtime.status(args.execution).catch((error: unknown) => {
      throw describeFailure('Failed to get status', error)
    })
    const execution: ExecutionOutcome = {...current, workflow_id: current.workflow_id ?? ''}
    if (!flags.watch) return this.emit(statusView, execution)
    const outcome = await waitForExecution(runtime, execution, {
      interruption: this.atom.interruption,
      timeout: flags.timeout,
      progress: (line) => this.progress(line),
    })
    const error = outcomeError(outcome)
    if (!error) return this.emit(statusView, outcome)
    this.announce(statusView.text(outcome, this.style))
    return this.emitFailure(statusView, outcome, error)
  }
}
