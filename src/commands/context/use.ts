import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {selectContext} from '../../lib/contexts.ts'
import {readSettings} from '../../lib/settings-report.ts'
import {contextChangeView} from '../../lib/views/context.ts'

export default class ContextUse extends AtomCommand {
  static override summary = 'Choose the target that commands talk to'
  static override description = 'Undo it with "config unset current_context". For one command alone use --context.'
  static override examples = ['<%= config.bin %> context use staging']
  static override args = {
    name: Args.string({description: 'Name of the context', required: true, ignoreStdin: true}),
  }
  static override completion = {args: {name: 'context'}}

  async run(): Promise<{name: string}> {
    const {args} = await this.parse(ContextUse)
    await selectContext(this.atom, args.name)
    const {contextName} = await readSettings(this.atom)
    if (contextName !== args.name) this.warn(`${contextName} stays in force: ATOMCTL_CONTEXT or the project names it`)
    return this.emit(contextChangeView('is now in use'), {name: args.name})
  }
}
