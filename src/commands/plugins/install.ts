import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import type {ApprovedPlugin} from '../../lib/plugins/ledger.ts'
import {pluginChangeView} from '../../lib/views/plugins.ts'

export default class PluginsInstall extends AtomCommand {
  static override summary = 'Install a plugin that your trust list allows'
  static override description = `From a registry npm is configured for, a tarball, or the https address of one. The tarball is checked against the
plugin trust lists before it is unpacked; with --trust your own list is made to allow exactly this tarball. npm lifecycle scripts do
not run unless every list says "scripts: true". A Sigstore bundle is looked for beside a tarball file (FILE.sigstore.json).
Exit 5: not trusted, 7: takes the place of a command, 11: not the bytes the registry promised.`
  static override examples = [
    '<%= config.bin %> plugins install @acme/atomctl-plugin-hello@^1.2',
    '<%= config.bin %> plugins install ./atomctl-plugin-hello-1.0.0.tgz --trust',
  ]
  static override args = {
    plugin: Args.string({description: 'NAME, NAME@VERSION, FILE.tgz or https address', required: true}),
  }
  static override flags = {
    trust: Flags.boolean({description: 'Allow exactly this tarball in your own trust list'}),
    bundle: Flags.string({description: 'Sigstore bundle of the tarball', helpValue: 'FILE'}),
    registry: Flags.string({description: "Registry to fetch from instead of npm's own setting", helpValue: 'URL'}),
  }

  async run(): Promise<ApprovedPlugin[]> {
    const {args, flags} = await this.parse(PluginsInstall)
    const [{openWorkbench}, {installPlugin}, {readSpecification}] = await Promise.all([
      import('../../lib/plugins/workbench.ts'),
      import('../../lib/plugins/install.ts'),
      import('../../lib/plugins/specification.ts'),
    ])
    const spec = readSpecification(args.plugin, process.cwd())
    const dependencies = await openWorkbench(this.atom, this.config, flags.registry)
    const options = {trust: flags.trust, bundle: flags.bundle}
    const installed = await this.atom.interruption.defer(() => installPlugin(spec, options, dependencies))
    return this.emit(pluginChangeView('installed'), [installed])
  }
}
