import {AtomCommand} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import {type PackageSource, readSource} from '@atomctl/sdk/packing'
import {
  describeBuild,
  openSigningKey,
  signDetached,
  type SignedFileResult,
  signInPlace,
  signTargets,
} from '@atomctl/sdk/signing'
import {createKeylessSigner, keylessFlags} from '@atomctl/sdk/sigstore'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {signView} from '../lib/views/sign.ts'

export default class Sign extends AtomCommand {
  static override summary = 'Sign packages'
  static override description = `The signature goes into metadata.signature of the document: one line changes, everything else stays byte for byte.
Signing again replaces the signature, --append adds one by another key or person (what a trust rule with a threshold counts);
nothing is added to signatures that are not over the present content. A directory is a package with its files, which the signature then covers.
Everything is checked before the first file changes. The key is --key, else ATOMCTL_KEY, else signing_key of the configuration,
else ./cosign.key; its password comes from COSIGN_PASSWORD or is asked for.
With --keyless there is no key to keep: a Sigstore certifies a new one for the identity in an OIDC token (--identity-token, else
SIGSTORE_ID_TOKEN, else the token of a GitHub Actions job) and its log or clock witnesses the signature. What a log records is public there.`
  static override examples = [
    '<%= config.bin %> sign restart-unhealthy.wpk.yaml',
    '<%= config.bin %> sign *.wpk.yaml --key release.key',
    '<%= config.bin %> sign restart-unhealthy.wpk.yaml --append --key second.key',
    '<%= config.bin %> sign --detached restart-unhealthy-1.0.0.wpk.tar.gz',
    '<%= config.bin %> sign restart-unhealthy.wpk.yaml --keyless --signing-config signing_config.json --identity-token @token.jwt',
  ]
  static override args = {
    file: Args.string({description: 'Document, or directory of a package', required: true, multiple: true}),
  }
  static override flags = {
    ...keylessFlags,
    key: Flags.string({description: 'Private key file', helpValue: 'FILE'}),
    append: Flags.boolean({
      description: 'Keep the signatures that are there, and add this one',
      exclusive: ['detached'],
    }),
    detached: Flags.boolean({description: 'Write FILE.sigstore.json beside any file instead of changing it'}),
    provenance: Flags.boolean({
      description: 'State in the signature who built it, where, and from which commit',
      exclusive: ['detached'],
    }),
    registry: Flags.string({
      description: 'Bind the signature to this registry',
      helpValue: 'URL',
      exclusive: ['detached'],
    }),
  }

  async run(): Promise<SignedFileResult[]> {
    const {args, flags} = await this.parse(Sign)
    const {append, registry} = flags
    if (registry !== undefined && !/^https?:$/.test(URL.parse(registry)?.protocol ?? '')) throw notUrl(registry)
    const access = {atom: this.atom, interactive: this.interactive}
    const open = flags.keyless ? () => createKeylessSigner(flags, this.atom) : await openSigningKey(access)
    const paths = await signTargets(args.file, flags.detached)
    const sources = flags.detached ? [] : await Promise.all(paths.map(readSource))
    const {environment} = this.atom
    const provenanceOf = flags.provenance ? (source: PackageSource) => describeBuild(source, environment) : undefined
    const signed = flags.detached
      ? await signDetached(paths, open)
      : await signInPlace(sources, open, {registry, provenanceOf, append})
    return this.emit(signView, signed)
  }
}

function notUrl(registry: string): AtomError {
  return new AtomError('USAGE', `--registry ${JSON.stringify(registry)} is not an http or https URL`, {
    hint: 'write it like https://registry.example.com',
  })
}
