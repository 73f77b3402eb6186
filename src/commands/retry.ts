import {AtomCommand, confirmFlag, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import {
  approvalPending,
  awaitedApproval,
  type ExecutionOutcome,
  outcomeError,
  retryExecution,
  waitForExecution,
} from '@atomctl/sdk/execution'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {durationFlag} from '../lib/duration-flag.ts'
import {runView, startedText} from '../lib/views/run.ts'

export default class Retry extends AtomCommand {
  static override summary = 'Carry an ended execution on, from a step that did not complete'
  static override description = `A new execution of the same document with the same parameters: it has the results of the steps before, and does not run them again.
Signature, policy and approval are asked for anew. After a rollback everything runs again.`
  static override examples = [
    '<%= config.bin %> retry 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 --wait',
    '<%= config.bin %> retry 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 --from restart-pods',
  ]
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {
    ...runtimeFlag,
    ...confirmFlag,
    from: Flags.string({
      description: 'Handler to begin with; default the first that did not complete',
      helpValue: 'STEP',
    }),
    wait: Flags.boolean({description: 'Wait until the new execution ends; exit with its outcome'}),
    timeout: durationFlag({description: 'With --wait: how long to wait; the execution goes on after it'}),
  }

  async run(): Promise<ExecutionOutcome> {
    const {args, flags} = await this.parse(Retry)
    await this.confirmContext(flags.confirm)
    const runtime = await this.atom.runtime()
    const started = await retryExecution(runtime, args.execution, flags.from).catch((error: unknown) => {
      throw describeFailure('Retry failed', error)
    })
    const approval = awaitedApproval(started)
    if (!flags.wait) return this.emit(runView, started, approval && approvalPending(started, approval))
    this.announce(startedText(started, this.style))
    const outcome = await waitForExecution(runtime, started, {
      interruption: this.atom.interruption,
      timeout: flags.timeout,
      progress: (line) => this.progress(line),
    })
    const error = outcomeError(outcome)
    return error ? this.emitFailure(runView, outcome, error) : this.emit(runView, outcome)
  }
}
