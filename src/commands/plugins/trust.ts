import {resolve} from 'node:path'
import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {type TrustChange, trustChangeView} from '../../lib/views/plugins.ts'

export default class PluginsTrust extends AtomCommand {
  static override summary = 'Allow a plugin, or all of a scope, in your own trust list'
  static override description = `Writes one rule into ~/.atomctl/plugin-trust.yaml, in place of the one with the same name. Without a version, a tarball or
a signer it allows whatever the registry serves under the name. "*" needs a signer.`
  static override examples = [
    "<%= config.bin %> plugins trust '@acme/*' --key acme.pub",
    '<%= config.bin %> plugins trust @acme/atomctl-plugin-hello --versions ^1.2',
  ]
  static override args = {
    name: Args.string({description: 'Package name, or a pattern such as @acme/*', required: true}),
  }
  static override flags = {
    versions: Flags.string({description: 'Range of versions', helpValue: 'RANGE'}),
    integrity: Flags.string({
      description: 'sha512 of an allowed tarball, as npm writes it',
      helpValue: 'SHA512',
      multiple: true,
    }),
    key: Flags.string({
      description: 'Public key that signs its tarballs',
      helpValue: 'FILE',
      exclusive: ['certificate-identity'],
    }),
    'certificate-identity': Flags.string({
      description: 'Who signs its tarballs keylessly',
      helpValue: 'WHO',
      dependsOn: ['certificate-oidc-issuer', 'trusted-root'],
    }),
    'certificate-oidc-issuer': Flags.string({
      description: 'Who vouches for that identity',
      helpValue: 'URL',
      dependsOn: ['certificate-identity'],
    }),
    'trusted-root': Flags.string({
      description: 'trusted_root.json of that Sigstore',
      helpValue: 'FILE',
      dependsOn: ['certificate-identity'],
    }),
    scripts: Flags.boolean({description: 'Let its npm lifecycle scripts run at installation'}),
  }

  async run(): Promise<TrustChange> {
    const {args, flags} = await this.parse(PluginsTrust)
    const [{addTrust}, {ruleOf}] = await Promise.all([
      import('../../lib/plugins/trust-edit.ts'),
      import('../../lib/plugins/trust-rule.ts'),
    ])
    const root = flags['trusted-root']
    const file = await addTrust(
      this.atom.environment,
      ruleOf(args.name, {
        versions: flags.versions,
        integrity: flags.integrity,
        key: flags.key === undefined ? undefined : resolve(flags.key),
        identity: flags['certificate-identity'],
        issuer: flags['certificate-oidc-issuer'],
        trustedRoot: root === undefined ? undefined : resolve(root),
        scripts: flags.scripts,
      }),
    )
    return this.emit(trustChangeView('is allowed by'), {name: args.name, file})
  }
}
