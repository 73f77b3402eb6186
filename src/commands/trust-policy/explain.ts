import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {explainSubject, type PolicyExplanation} from '../../lib/trust-policy/explanation.ts'
import {policyExplanationView} from '../../lib/views/trust-policy.ts'

export default class TrustPolicyExplain extends AtomCommand {
  static override summary = 'Say which rule decides about a package, and what it asks for'
  static override description = `Uses no network. For a file it also says what the policy makes of the signature it has, and what would change that.`
  static override examples = [
    '<%= config.bin %> trust-policy explain restart-unhealthy-1.0.0',
    '<%= config.bin %> trust-policy explain ./restart-unhealthy.wpk.yaml',
    '<%= config.bin %> trust-policy explain rotate-secret-2.1.0 --registry-url https://registry.example.com',
  ]
  static override args = {
    package: Args.string({description: 'Workflow ID, or a file', required: true, ignoreStdin: true}),
  }
  static override flags = {...registryFlag, ...trustPolicyFlag}

  async run(): Promise<PolicyExplanation> {
    const {args} = await this.parse(TrustPolicyExplain)
    return this.emit(policyExplanationView, await explainSubject(args.package, this.atom))
  }
}
