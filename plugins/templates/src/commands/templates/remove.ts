import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {TemplateStore} from '../../store.ts'
import {removeView} from '../../views.ts'

export default class TemplatesRemove extends AtomCommand {
  static override summary = 'Remove a template of your own'
  static override examples = ['<%= config.bin %> templates remove drain']
  static override args = {name: Args.string({description: 'Name of the template', required: true, ignoreStdin: true})}
  static override completion = {args: {name: 'own-template'}}

  async run(): Promise<{name: string}> {
    const {args} = await this.parse(TemplatesRemove)
    await new TemplateStore(this.atom.environment).remove(args.name)
    return this.emit(removeView, {name: args.name})
  }
}
