import {AtomCommand} from '@atomctl/sdk/command'
import type {PluginStatus} from '../../lib/plugins/inventory.ts'
import {pluginListView} from '../../lib/views/plugins.ts'

export default class Plugins extends AtomCommand {
  static override summary = 'List the installed plugins and whether each is trusted'
  static override description = `Runs nothing of a plugin, so it also works when one of them is refused.`
  static override examples = ['<%= config.bin %> plugins', '<%= config.bin %> plugins -o json']

  async run(): Promise<PluginStatus[]> {
    await this.parse(Plugins)
    const [{listPlugins}, {takenBy}, {sdkVersion}] = await Promise.all([
      import('../../lib/plugins/inventory.ts'),
      import('../../lib/plugins/conflicts.ts'),
      import('../../lib/plugins/load.ts'),
    ])
    const taken = takenBy(this.config, sdkVersion(this.config.root))
    return this.emit(pluginListView, await listPlugins(this.atom.environment, taken))
  }
}
