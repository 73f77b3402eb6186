import {AtomCommand, confirmFlag, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import {type ExecutionOutcome, followRollback, rollbackError, waitForExecution} from '@atomctl/sdk/execution'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {durationFlag} from '../lib/duration-flag.ts'
import {controlView} from '../lib/views/control.ts'

export default class Rollback extends AtomCommand {
  static override summary = 'Roll an ended execution back, where the runtime offers it'
  static override description = `Runs the package's rollback handlers for the steps that completed, the last first. Asked again after a failure, it does only what is left.
With --wait, Ctrl-C detaches: the rollback goes on. A rollback that fails exits with 24.`
  static override examples = [
    '<%= config.bin %> rollback 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11',
    '<%= config.bin %> rollback 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 --wait',
  ]
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {
    ...runtimeFlag,
    ...confirmFlag,
    wait: Flags.boolean({description: 'Wait until the rollback ends'}),
    timeout: durationFlag({description: 'With --wait: how long to wait; the rollback goes on after it'}),
  }

  async run(): Promise<ExecutionOutcome> {
    const {args, flags} = await this.parse(Rollback)
    await this.confirmContext(flags.confirm)
    const runtime = await this.atom.runtime()
    await runtime.rollback(args.execution).catch((error: unknown) => {
      throw describeFailure('Rollback failed', error)
    })
    const started: ExecutionOutcome = {status: 'started', execution_id: args.execution, workflow_id: ''}
    if (!flags.wait) return this.emit(controlView('Rollback started'), started)
    const outcome = await waitForExecution(runtime, started, {
      interruption: this.atom.interruption,
      timeout: flags.timeout,
      progress: (line) => this.progress(line),
      follow: followRollback,
    })
    const view = controlView<ExecutionOutcome>('Rolled back')
    const error = rollbackError(outcome)
    return error ? this.emitFailure(view, outcome, error) : this.emit(view, outcome)
  }
}
