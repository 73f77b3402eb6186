import type {DecisionReply} from '@atomctl/protocol/runtime'
import {AtomCommand, confirmFlag, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {decisionView} from '../lib/views/approval.ts'

export default class Approve extends AtomCommand {
  static override summary = 'Approve an execution that waits for it'
  static override description = `Approves exactly the document and the parameters that atomctl status shows. It takes the role approver or admin, and somebody else than who asked for the execution.`
  static override examples = [
    '<%= config.bin %> approve 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11',
    '<%= config.bin %> approve 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 --reason "reviewed in OPS-1204"',
  ]
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {
    ...runtimeFlag,
    ...confirmFlag,
    reason: Flags.string({description: 'Recorded with the approval', helpValue: 'TEXT'}),
  }

  async run(): Promise<DecisionReply> {
    const {args, flags} = await this.parse(Approve)
    await this.confirmContext(flags.confirm)
    const runtime = await this.atom.runtime()
    const decide = async (): Promise<DecisionReply> => {
      const {document_digest, parameters_digest} = await runtime.status(args.execution)
      return runtime.approve(args.execution, {reason: flags.reason, document_digest, parameters_digest})
    }
    const reply = await decide().catch((error: unknown) => {
      throw describeFailure('Approval failed', error)
    })
    return this.emit(decisionView, reply)
  }
}
