import {AtomCommand} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import {type TrustChange, trustChangeView} from '../../lib/views/plugins.ts'

export default class PluginsUntrust extends AtomCommand {
  static override summary = 'Take a rule out of your own trust list'
  static override description =
    'A plugin that no other rule allows is refused from then on: remove it with plugins uninstall.'
  static override examples = ["<%= config.bin %> plugins untrust '@acme/*'"]
  static override args = {name: Args.string({description: 'Name or pattern of the rule', required: true})}

  async run(): Promise<TrustChange> {
    const {args} = await this.parse(PluginsUntrust)
    const [{removeTrust}, {trustListPath}] = await Promise.all([
      import('../../lib/plugins/trust-edit.ts'),
      import('../../lib/plugins/trust-list.ts'),
    ])
    const file = trustListPath(this.atom.environment)
    if (!(await removeTrust(this.atom.environment, args.name))) {
      throw new AtomError('NOT_FOUND', `${file} has no rule for ${args.name}`, {hint: 'atomctl plugins'})
    }
    return this.emit(trustChangeView('is no longer named by'), {name: args.name, file})
  }
}
