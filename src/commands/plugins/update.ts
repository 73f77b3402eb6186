import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import type {ApprovedPlugin} from '../../lib/plugins/ledger.ts'
import {pluginChangeView} from '../../lib/views/plugins.ts'

export default class PluginsUpdate extends AtomCommand {
  static override summary = 'Fetch installed plugins again, as far as your trust list allows'
  static override description = `Asks for what was typed to install each. The new tarball is checked as at the first time; one that is refused leaves
the installed version as it is. A list that allows one exact tarball has to be changed first, or give --trust.`
  static override examples = [
    '<%= config.bin %> plugins update',
    '<%= config.bin %> plugins update @acme/atomctl-plugin-hello --trust',
  ]
  static override args = {plugin: Args.string({description: 'Installed plugin; without one, all'})}
  static override flags = {
    trust: Flags.boolean({description: 'Allow exactly the new tarball in your own trust list'}),
    registry: Flags.string({description: "Registry to fetch from instead of npm's own setting", helpValue: 'URL'}),
  }

  async run(): Promise<ApprovedPlugin[]> {
    const {args, flags} = await this.parse(PluginsUpdate)
    const [{openWorkbench}, {updatePlugins}] = await Promise.all([
      import('../../lib/plugins/workbench.ts'),
      import('../../lib/plugins/update.ts'),
    ])
    const dependencies = await openWorkbench(this.atom, this.config, flags.registry)
    const updated = await this.atom.interruption.defer(() => updatePlugins(args.plugin, flags.trust, dependencies))
    return this.emit(pluginChangeView('is up to date'), updated)
  }
}
