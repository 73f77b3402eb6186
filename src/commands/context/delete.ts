import {AtomCommand, confirmFlag} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {deleteContext} from '../../lib/contexts.ts'
import {contextChangeView} from '../../lib/views/context.ts'

export default class ContextDelete extends AtomCommand {
  static override summary = 'Remove a named target from your configuration'
  static override examples = ['<%= config.bin %> context delete staging']
  static override args = {
    name: Args.string({description: 'Name of the context', required: true, ignoreStdin: true}),
  }
  static override flags = {...confirmFlag}
  static override completion = {args: {name: 'context'}}

  async run(): Promise<{name: string}> {
    const {args, flags} = await this.parse(ContextDelete)
    await deleteContext(this.atom, args.name, flags.confirm)
    return this.emit(contextChangeView('deleted'), {name: args.name})
  }
}
