import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import type {ApprovedPlugin} from '../../lib/plugins/ledger.ts'
import {pluginChangeView} from '../../lib/views/plugins.ts'

export default class PluginsLink extends AtomCommand {
  static override summary = 'Use a plugin from the directory it is developed in'
  static override description = `What runs is whatever the directory holds at the time, so your trust list must name it: --trust says that you mean it.
A list of your organisation or of a project can forbid links. Dependencies are yours to install.`
  static override examples = ['<%= config.bin %> plugins link ./atomctl-plugin-hello --trust']
  static override args = {path: Args.string({default: '.', description: 'Directory of the plugin'})}
  static override flags = {trust: Flags.boolean({description: 'Allow this directory in your own trust list'})}

  async run(): Promise<ApprovedPlugin[]> {
    const {args, flags} = await this.parse(PluginsLink)
    const [{linkPlugin}, {loadTrustLists}, {takenBy}, {sdkVersion}] = await Promise.all([
      import('../../lib/plugins/link.ts'),
      import('../../lib/plugins/trust-list.ts'),
      import('../../lib/plugins/conflicts.ts'),
      import('../../lib/plugins/load.ts'),
    ])
    const {environment, configuration} = this.atom
    const lists = await loadTrustLists(configuration, environment)
    const taken = takenBy(this.config, sdkVersion(this.config.root))
    const linked = await linkPlugin(args.path, flags.trust, {environment, lists, taken})
    return this.emit(pluginChangeView('linked'), [linked])
  }
}
