import {registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import {readVerificationSubject, verifySubject} from '@atomctl/sdk/verification'
import {batchArgs, BatchCommand, batchFlags, rateFlag} from '../../batch-command.ts'
import {fingerprintFile, fingerprintSubject} from '../../fingerprint.ts'
import type {BatchReport, Done} from '../../item.ts'

export default class BatchVerify extends BatchCommand {
  static override summary = 'Check the signatures of many packages'
  static override description =
    'Checks each file, tarball, directory of a package or workflow ID against the trust policy as "verify" does, and says who signed it.'
  static override examples = [
    '<%= config.bin %> batch verify runbooks "dist/*.wpk.tar.gz"',
    '<%= config.bin %> list -o name | <%= config.bin %> batch verify - -o json',
  ]
  static override args = batchArgs
  static override flags = {...batchFlags, ...rateFlag, ...registryFlag, ...trustPolicyFlag}

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchVerify)
    const gathered = await this.gather(args.file, flags, 'workflow')
    const [registry, policies] = await Promise.all([this.atom.registryUrl(), this.atom.trustPolicies()])
    // whether a signature counts depends on the policy and, as keys expire, on the day
    const files = policies.flatMap(({file}) => (file === undefined ? [] : [file]))
    const judges = await Promise.all(files.map(fingerprintFile))
    const scope = [registry, ...judges, new Date().toISOString().slice(0, 10)]
    const batch = {...gathered, operation: 'verify' as const, scope}
    return this.runBatch(batch, {
      fingerprint: ({subject}) => fingerprintSubject(subject),
      perform: async ({subject}): Promise<Done> => {
        const result = await verifySubject(await readVerificationSubject(subject, this.atom), policies, registry)
        this.atom.warnings.push(...result.verdicts.flatMap(({warnings}) => warnings))
        const signers = result.verdicts.flatMap((verdict) => verdict.signers)
        const names = new Set(signers.map(({key, identity, fingerprint}) => key ?? identity ?? fingerprint))
        const note = names.size === 0 ? 'accepted without a trusted signature' : `signed by ${[...names].join(', ')}`
        return {...(result.id === undefined ? {} : {id: result.id}), note}
      },
    })
  }
}
