import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import type {VerificationResult} from '@atomctl/sdk/verification'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {readSigner} from '../lib/signer-flags.ts'
import {verifyView} from '../lib/views/verify.ts'

type Signer = NonNullable<Awaited<ReturnType<typeof readSigner>>>

export default class Verify extends AtomCommand {
  static override summary = 'Check who signed a package, and whether you trust them'
  static override description = `Checks a file or a tarball without any network, or a workflow ID in the registry, against the trust policy, and says
who signed, with what key and which rule decided. Exit 10: unsigned, 11: tampered, 12: signer not trusted, expired or revoked.
With --bundle any file is checked against a detached bundle, as cosign verify-blob does: by --key, or by the identity and issuer in
the certificate of a keyless signature, which a trusted root has to vouch for; - is standard input. Only --trusted-root public-good
asks the network.`
  static override examples = [
    '<%= config.bin %> verify restart-unhealthy.wpk.yaml',
    '<%= config.bin %> verify restart-unhealthy-1.0.0.wpk.tar.gz --key cosign.pub',
    '<%= config.bin %> verify report.pdf --bundle report.pdf.sigstore.json --key cosign.pub',
    `<%= config.bin %> verify report.pdf --bundle report.pdf.sigstore.json --trusted-root trusted_root.json \\
    --certificate-identity me@example.com --certificate-oidc-issuer https://accounts.example.com`,
    '<%= config.bin %> verify restart-unhealthy.wpk.yaml --print-payload > wpk.jcs.json',
    '<%= config.bin %> verify restart-unhealthy.wpk.yaml --print-bundle --signer 2 > second.sigstore.json',
  ]
  static override args = {
    subject: Args.string({
      description: 'Document, tarball, directory of a package, or workflow ID',
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = {
    ...registryFlag,
    ...trustPolicyFlag,
    key: Flags.string({description: 'Trust just this public key', helpValue: 'FILE', exclusive: ['trust-policy']}),
    bundle: Flags.string({description: 'Detached signature bundle of any file', helpValue: 'FILE'}),
    signature: Flags.string({
      description: 'Bare signature of any file, as older cosigns write it; with --key',
      helpValue: 'FILE',
      dependsOn: ['key'],
      exclusive: ['bundle', 'trusted-root'],
    }),
    'certificate-identity': Flags.string({
      description: 'Trust just this identity of a keyless signature: an e-mail address or URI, whole',
      helpValue: 'WHO',
      dependsOn: ['certificate-oidc-issuer'],
      exclusive: ['key', 'trust-policy'],
    }),
    'certificate-oidc-issuer': Flags.string({
      description: 'Who vouched for the identity',
      helpValue: 'URL',
      dependsOn: ['certificate-identity'],
    }),
    'trusted-root': Flags.string({
      description: 'Sigstore that issued the certificate: a trusted_root.json, or public-good to fetch the public one',
      helpValue: 'FILE',
    }),
    'print-payload': Flags.boolean({
      description: 'Print the bytes a signature covers; verifies nothing',
      exclusive: ['bundle', 'signature', 'print-bundle'],
    }),
    'print-bundle': Flags.boolean({
      description: 'Print the signature bundle; verifies nothing',
      exclusive: ['bundle', 'signature'],
    }),
    signer: Flags.string({
      description: 'Of several signatures the one to print: its number, or the fingerprint or identity of its signer',
      helpValue: 'WHICH',
      dependsOn: ['print-bundle'],
    }),
  }

  async run(): Promise<VerificationResult | undefined> {
    const {args, flags} = await this.parse(Verify)
    const {subject: name} = args
    const access = {atom: this.atom, interactive: this.interactive}
    const signer = await readSigner(flags, access)
    if (flags.signature !== undefined && signer && 'publicKeyPem' in signer) {
      const {verifySignature} = await import('../lib/verify-blob.ts')
      return this.#report(await verifySignature(name, flags.signature, signer))
    }
    if (flags.bundle !== undefined) return this.#report(await this.#verifyBlob(name, flags.bundle, signer))
    const verification = await import('@atomctl/sdk/verification')
    const subject = await verification.readVerificationSubject(name, this.atom)
    if (flags['print-payload'] || flags['print-bundle']) return this.#print(subject.document, flags)
    if (signer && 'publicKeyPem' in signer && signer.trustRoot) throw rootWithoutBundle()
    // judged as `run` judges it: a project's file does not choose, by naming a registry, which rule applies to a file
    const registry = subject.expect ? await this.atom.registryUrl() : await this.atom.ownRegistryUrl()
    if (!signer)
      return this.#report(await verification.verifySubject(subject, await this.atom.trustPolicies(), registry))
    const result =
      'publicKeyPem' in signer
        ? verification.verifySubjectByKey(subject, signer.publicKeyPem, flags.key ?? '', registry)
        : verification.verifySubjectByIdentity(subject, signer, registry)
    return this.#report(await result)
  }

  async #verifyBlob(file: string, bundle: string, signer: Signer | undefined): Promise<VerificationResult> {
    if (!signer) {
      throw new AtomError('USAGE', '--bundle needs a signer to check against', {
        hint: 'add --key FILE, or --certificate-identity WHO --certificate-oidc-issuer URL --trusted-root FILE',
      })
    }
    const {verifyBlob} = await import('../lib/verify-blob.ts')
    return verifyBlob(file, bundle, signer)
  }

  #report(result: VerificationResult): Promise<VerificationResult> {
    this.atom.warnings.push(...new Set(result.verdicts.flatMap(({warnings}) => warnings)))
    return this.emit(verifyView, result)
  }

  /** Raw bytes for other tools: no envelope, no newline of ours after the payload. */
  async #print(
    document: import('@atomctl/wpk/document').WpkDocument,
    flags: {readonly 'print-bundle': boolean; readonly signer: string | undefined},
  ): Promise<undefined> {
    if (flags['print-bundle']) {
      const {pickBundle} = await import('../lib/print-bundle.ts')
      process.stdout.write(`${JSON.stringify(await pickBundle(document, flags.signer))}\n`)
      return
    }
    const {payloadOf} = await import('@atomctl/wpk/signing')
    process.stdout.write(payloadOf(document.value))
  }
}

/** Better than a trusted root that is named and then not looked at. */
function rootWithoutBundle(): AtomError {
  return new AtomError('USAGE', '--trusted-root beside --key is for a detached bundle with log entries', {
    hint: 'add --bundle FILE, or leave --trusted-root out',
  })
}
