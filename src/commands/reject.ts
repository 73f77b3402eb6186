import type {DecisionReply} from '@atomctl/protocol/runtime'
import {AtomCommand, confirmFlag, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {decisionView} from '../lib/views/approval.ts'

export default class Reject extends AtomCommand {
  static override summary = 'Reject an execution that waits for approval'
  static override description = 'The execution ends as rejected and never runs. It takes the role approver or admin.'
  static override examples = [
    '<%= config.bin %> reject 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 --reason "not before the release"',
  ]
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {
    ...runtimeFlag,
    ...confirmFlag,
    reason: Flags.string({description: 'Told to who asked for it, and recorded', helpValue: 'TEXT', required: true}),
  }

  async run(): Promise<DecisionReply> {
    const {args, flags} = await this.parse(Reject)
    await this.confirmContext(flags.confirm)
    const runtime = await this.atom.runtime()
    const reply = await runtime.reject(args.execution, {reason: flags.reason}).catch((error: unknown) => {
      throw describeFailure('Rejection failed', error)
    })
    return this.emit(decisionView, reply)
  }
}
