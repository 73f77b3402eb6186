import type {CancelReply} from '@atomctl/protocol/runtime'
import {AtomCommand, confirmFlag, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import {controlView} from '../lib/views/control.ts'

export default class Cancel extends AtomCommand {
  static override summary = 'Cancel a running execution'
  static override examples = ['<%= config.bin %> cancel 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11']
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {...runtimeFlag, ...confirmFlag}

  async run(): Promise<CancelReply> {
    const {args, flags} = await this.parse(Cancel)
    await this.confirmContext(flags.confirm)
    const runtime = await this.atom.runtime()
    const reply = await runtime.cancel(args.execution).catch((error: unknown) => {
      throw describeFailure('Cancel failed', error)
    })
    return this.emit(controlView('Cancellation requested'), reply)
  }
}
