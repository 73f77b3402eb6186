import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import type {PluginStatus} from '../../lib/plugins/inventory.ts'
import {pluginView} from '../../lib/views/plugins.ts'

export default class PluginsInspect extends AtomCommand {
  static override summary = 'Show one plugin: where from, who signed it, what it adds, why it is refused'
  static override description = 'Reads its package.json and manifest; runs nothing of it.'
  static override examples = ['<%= config.bin %> plugins inspect @acme/atomctl-plugin-hello']
  static override args = {name: Args.string({description: 'Installed plugin', required: true})}

  async run(): Promise<PluginStatus> {
    const {args} = await this.parse(PluginsInspect)
    const [{listPlugins, requirePlugin}, {takenBy}, {sdkVersion}] = await Promise.all([
      import('../../lib/plugins/inventory.ts'),
      import('../../lib/plugins/conflicts.ts'),
      import('../../lib/plugins/load.ts'),
    ])
    requirePlugin(this.atom.environment, args.name)
    const all = await listPlugins(this.atom.environment, takenBy(this.config, sdkVersion(this.config.root)))
    return this.emit(
      pluginView,
      all.find(({name}) => name === args.name)!,
    )
  }
}
