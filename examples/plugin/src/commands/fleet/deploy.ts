import {AtomCommand} from '@atomctl/sdk/command'
import type {View} from '@atomctl/sdk/output'
import * as Args from '@oclif/core/args'
import {planRollout, type Rollout} from '../../rollout.ts'

const rolloutView: View<Rollout> = {
  kind: 'Rollout',
  text: ({id, signedBy, sites}, style) =>
    [`${style.good('[SUCCESS]')} ${id}, signed by ${signedBy}, goes to:`, ...sites.map((site) => `  ${site}`)].join(
      '\n',
    ),
  names: ({sites}) => sites,
}

/** Says which sites a package would go to. It never sees a package that you do not trust. */
export default class FleetDeploy extends AtomCommand {
  static override summary = 'Roll out a signed package to sites'
  static override examples = ['<%= config.bin %> fleet deploy restart.wpk.yaml berlin,oslo']
  static override args = {
    file: Args.string({description: 'Package', required: true}),
    sites: Args.string({description: 'Sites, separated by commas', required: true}),
  }
  // atomctl verifies the package that this argument names against the trust policy before run() is called.
  static override signature = {arg: 'file', accepts: 'file'} as const

  async run(): Promise<Rollout> {
    const {args} = await this.parse(FleetDeploy)
    const {verified} = this.verified(args.file)
    const [signer] = verified.verification.signers
    const signedBy = signer && 'fingerprint' in signer ? signer.fingerprint : 'nobody'
    return this.emit(rolloutView, planRollout(verified.document.id, signedBy, args.sites))
  }
}
