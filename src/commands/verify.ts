import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import type {VerificationResult} from '@atomctl/sdk/verification'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {readPublicKey} from '../lib/public-key.ts'
import {verifyView} from '../lib/views/verify.ts'

export default class Verify extends AtomCommand {
  static override summary = 'Check who signed a package, and whether you trust them'
  static override description = `Checks a file or a tarball without any network, or a workflow ID in the registry, against the trust policy, and says
who signed, with what key and which rule decided. Exit 10: unsigned, 11: tampered, 12: signer not trusted, expired or revoked.
With --bundle any file is checked against a detached bundle and --key, as cosign verify-blob does.`
  static override examples = [
    '<%= config.bin %> verify restart-unhealthy.wpk.yaml',
    '<%= config.bin %> verify restart-unhealthy-1.0.0.wpk.tar.gz --key cosign.pub',
    '<%= config.bin %> verify report.pdf --bundle report.pdf.sigstore.json --key cosign.pub',
    '<%= config.bin %> verify restart-unhealthy.wpk.yaml --print-payload > wpk.jcs.json',
  ]
  static override args = {
    subject: Args.string({description: 'Document, tarball or workflow ID', required: true, ignoreStdin: true}),
  }
  static override flags = {
    ...registryFlag,
    ...trustPolicyFlag,
    key: Flags.string({description: 'Trust just this public key', helpValue: 'FILE', exclusive: ['trust-policy']}),
    bundle: Flags.string({description: 'Detached signature bundle of any file', helpValue: 'FILE', dependsOn: ['key']}),
    'print-payload': Flags.boolean({
      description: 'Print the bytes a signature covers; verifies nothing',
      exclusive: ['bundle', 'print-bundle'],
    }),
    'print-bundle': Flags.boolean({description: 'Print the signature bundle; verifies nothing', exclusive: ['bundle']}),
  }

  async run(): Promise<VerificationResult | undefined> {
    const {args, flags} = await this.parse(Verify)
    const {subject: name} = args
    const access = {atom: this.atom, interactive: this.interactive}
    const key = flags.key === undefined ? undefined : await readPublicKey(flags.key, access)
    if (flags.bundle !== undefined && key !== undefined) {
      const {verifyBlob} = await import('../lib/verify-blob.ts')
      return this.#report(await verifyBlob(name, flags.bundle, key))
    }
    const {readVerificationSubject, verifySubject, verifySubjectByKey} = await import('@atomctl/sdk/verification')
    const subject = await readVerificationSubject(name, this.atom)
    if (flags['print-payload'] || flags['print-bundle']) return this.#print(subject.document, flags['print-bundle'])
    const registry = await this.atom.registryUrl()
    if (key !== undefined) return this.#report(await verifySubjectByKey(subject, key, flags.key ?? '', registry))
    return this.#report(await verifySubject(subject, await this.atom.trustPolicies(), registry))
  }

  #report(result: VerificationResult): Promise<VerificationResult> {
    this.atom.warnings.push(...new Set(result.verdicts.flatMap(({warnings}) => warnings)))
    return this.emit(verifyView, result)
  }

  /** Raw bytes for other tools: no envelope, no newline of ours after the payload. */
  async #print(document: import('@atomctl/wpk/document').WpkDocument, wantsBundle: boolean): Promise<undefined> {
    const {bundleOf, payloadOf} = await import('@atomctl/wpk/signing')
    const bundle = wantsBundle ? bundleOf(document.value)?.bundle : undefined
    if (wantsBundle && !bundle) {
      throw new AtomError('WPK_UNSIGNED', `${document.source} has no signature`, {
        hint: `atomctl sign ${document.source}`,
      })
    }
    process.stdout.write(bundle ? `${JSON.stringify(bundle)}\n` : payloadOf(document.value))
  }
}
