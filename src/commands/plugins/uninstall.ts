import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import type {ApprovedPlugin} from '../../lib/plugins/ledger.ts'
import {pluginChangeView} from '../../lib/views/plugins.ts'

export default class PluginsUninstall extends AtomCommand {
  static override summary = 'Remove a plugin, its files and its own rule in your trust list'
  static override description =
    'Runs nothing of the plugin, so a broken or refused one goes too. A linked directory itself stays.'
  static override examples = ['<%= config.bin %> plugins uninstall @acme/atomctl-plugin-hello']
  static override aliases = ['plugins:remove', 'plugins:unlink']
  static override args = {plugin: Args.string({description: 'Installed plugin', required: true})}

  async run(): Promise<ApprovedPlugin[]> {
    const {args} = await this.parse(PluginsUninstall)
    const {uninstallPlugin} = await import('../../lib/plugins/uninstall.ts')
    return this.emit(pluginChangeView('removed'), [await uninstallPlugin(args.plugin, this.atom.environment)])
  }
}
