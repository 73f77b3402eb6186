import {AtomCommand} from '@atomctl/sdk/command'
import {FORMATS} from '@atomctl/sdk/output'
import {
  findStaleSignatures,
  type PackedPackage,
  packPackage,
  readSource,
  sourceDateEpoch,
  tarballPath,
} from '@atomctl/sdk/packing'
import {describeBuild, loadSigningKey} from '@atomctl/sdk/signing'
import {createKeylessSigner, type KeylessFlags, keylessFlags} from '@atomctl/sdk/sigstore'
import type {Signer} from '@atomctl/wpk/signing'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {packView} from '../lib/views/pack.ts'

export default class Pack extends AtomCommand {
  static override summary = 'Pack a package into a deterministic tarball'
  static override description = `Writes NAME-VERSION.wpk.tar.gz: the same input gives the same bytes on every machine.
A directory must hold exactly one *.wpk.yaml; its other files come along. With --sign the document is signed in its file
(and with it every file of the package), and the tarball gets a bundle beside it, TARBALL.sigstore.json.
-o is the path of the tarball; only the name of a format (json, yaml, …) is taken as the format, as everywhere else.`
  static override examples = [
    '<%= config.bin %> pack restart-unhealthy.wpk.yaml',
    '<%= config.bin %> pack restart-unhealthy.wpk.yaml --sign --key cosign.key',
    '<%= config.bin %> pack restart-unhealthy.wpk.yaml --sign --keyless --signing-config signing_config.json',
    '<%= config.bin %> pack runbooks/rotate --sign --provenance',
    '<%= config.bin %> pack runbooks/rotate -o dist/rotate.wpk.tar.gz --json',
  ]
  static override args = {
    path: Args.string({
      description: 'Document, or directory with one document and its files',
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: `Path of the tarball; or the output format: ${FORMATS.join(', ')}`,
      helpValue: 'PATH',
    }),
    sign: Flags.boolean({description: 'Sign the document and the tarball'}),
    key: Flags.string({description: 'Private key file', helpValue: 'FILE', dependsOn: ['sign']}),
    append: Flags.boolean({
      description: 'Keep the signatures that are there, and add this one',
      dependsOn: ['sign'],
    }),
    ...keylessFlags,
    keyless: Flags.boolean({
      description: 'Sign with a certificate for an OIDC identity instead of a key',
      dependsOn: ['sign'],
      exclusive: ['key'],
      helpGroup: 'KEYLESS',
    }),
    provenance: Flags.boolean({
      description: 'State in the signature who built it, where, and from which commit',
      dependsOn: ['sign'],
    }),
  }

  async run(): Promise<PackedPackage> {
    const {args, flags} = await this.parse(Pack)
    const asked = takePath(flags)
    const source = await readSource(args.path)
    const path = await tarballPath(asked, source.document)
    const signer = flags.sign ? await this.#signer(flags) : undefined
    const epoch = sourceDateEpoch(this.atom.environment)
    const packed = await packPackage(source, {
      path,
      ...(epoch === undefined ? {} : {sourceDateEpoch: epoch}),
      ...(signer ? {signer, append: flags.append} : {}),
      ...(flags.provenance ? {provenance: await describeBuild(source, this.atom.environment)} : {}),
    })
    if (!signer) this.atom.warnings.push(...(await findStaleSignatures(source, packed)))
    return this.emit(packView, packed)
  }

  #signer(flags: KeylessFlags & {readonly keyless: boolean}): Promise<Signer> {
    if (flags.keyless) return createKeylessSigner(flags, this.atom)
    return loadSigningKey({atom: this.atom, interactive: this.interactive})
  }
}

/** The path given with -o, taken out of the flags: what is left there is the format. */
function takePath(flags: {output?: string | undefined}): string | undefined {
  const {output} = flags
  if (FORMATS.some((format) => format === output)) return undefined
  delete flags.output
  return output
}
