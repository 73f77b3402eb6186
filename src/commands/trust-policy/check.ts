import {AtomCommand, trustPolicyFlag} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import type {PolicyReport} from '@atomctl/wpk/trust/policy-check'
import * as Args from '@oclif/core/args'
import {policyFilesInForce} from '../../lib/trust-policy/files.ts'
import {policyCheckView} from '../../lib/views/trust-policy.ts'

export default class TrustPolicyCheck extends AtomCommand {
  static override summary = 'Find what is wrong or doubtful in a trust policy'
  static override description = `Names every problem with line and column: unknown keys, files that are missing, rules that tie for a package.
Warnings are about what is sound and seldom meant: keys that expired or were revoked, rules that trust nobody or let everything through.
Without a file, the policies in force here are checked. Exit 2 when one cannot be used.`
  static override examples = [
    '<%= config.bin %> trust-policy check',
    '<%= config.bin %> trust-policy check policies/production.yaml -o json',
  ]
  static override args = {
    file: Args.string({description: 'Trust policy (default: the policies in force)', ignoreStdin: true}),
  }
  static override flags = {...trustPolicyFlag}
  static override completion = {args: {file: 'file'}}

  async run(): Promise<PolicyReport[]> {
    const {args} = await this.parse(TrustPolicyCheck)
    const files = args.file === undefined ? await policyFilesInForce(this.atom) : [args.file]
    const {checkTrustPolicy} = await import('@atomctl/wpk/trust/policy-check')
    const reports = await Promise.all(files.map((file) => checkTrustPolicy(file)))
    const broken = reports.filter(({findings}) => findings.some(({severity}) => severity === 'error'))
    if (broken.length === 0) return this.emit(policyCheckView, reports)
    return this.emit(policyCheckView, reports, invalid(broken))
  }
}

function invalid(broken: readonly PolicyReport[]): AtomError {
  const files = broken.map(({file}) => file).join(', ')
  return new AtomError('TRUST_POLICY_INVALID', `${files} cannot be used`, {hint: `edit ${files}`})
}
