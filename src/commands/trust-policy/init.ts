import {resolve} from 'node:path'
import {AtomCommand} from '@atomctl/sdk/command'
import {ownTrustPolicyPath} from '@atomctl/sdk/trust'
import * as Args from '@oclif/core/args'
import {createPolicy} from '../../lib/trust-policy/files.ts'
import {type CreatedPolicy, policyInitView} from '../../lib/views/trust-policy.ts'

export default class TrustPolicyInit extends AtomCommand {
  static override summary = 'Write a trust policy to start from'
  static override description = `Strict, trusting nobody, and explained in its comments. A file that exists is never overwritten.
Without a file it is your own policy, ~/.atomctl/trust-policy.yaml unless the configuration names another.`
  static override examples = [
    '<%= config.bin %> trust-policy init',
    '<%= config.bin %> trust-policy init policies/production.yaml',
  ]
  static override args = {
    file: Args.string({description: 'Where to write it (default: your own policy)', ignoreStdin: true}),
  }
  static override completion = {args: {file: 'file'}}

  async run(): Promise<CreatedPolicy> {
    const {args} = await this.parse(TrustPolicyInit)
    const {configuration, environment} = this.atom
    const file = args.file === undefined ? ownTrustPolicyPath(configuration, environment) : resolve(args.file)
    const {STARTER_POLICY} = await import('@atomctl/wpk/trust/policy-check')
    await createPolicy(file, STARTER_POLICY)
    return this.emit(policyInitView, {file})
  }
}
