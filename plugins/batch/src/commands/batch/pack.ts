import {access} from 'node:fs/promises'
import {resolve} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import {findStaleSignatures, packPackage, readSource, sourceDateEpoch, tarballPath} from '@atomctl/sdk/packing'
import {loadSigningKey} from '@atomctl/sdk/signing'
import type {Signer} from '@atomctl/wpk/signing'
import * as Flags from '@oclif/core/flags'
import {batchArgs, BatchCommand, batchFlags} from '../../batch-command.ts'
import {fingerprintSource} from '../../fingerprint.ts'
import type {BatchReport, Done} from '../../item.ts'

export default class BatchPack extends BatchCommand {
  static override summary = 'Pack many packages into deterministic tarballs'
  static override description = `Writes NAME-VERSION.wpk.tar.gz for each package, as "pack" does. A directory below a named one that holds one document and
further files is one package. Two packages that would have the same tarball are a conflict (exit 7).`
  static override examples = [
    '<%= config.bin %> batch pack runbooks --out-dir dist',
    '<%= config.bin %> batch pack runbooks --out-dir dist --sign --key release.key -o json',
  ]
  static override args = batchArgs
  static override flags = {
    ...batchFlags,
    'out-dir': Flags.string({char: 'd', description: 'Directory of the tarballs', default: '.', helpValue: 'DIR'}),
    sign: Flags.boolean({description: 'Sign each document and each tarball'}),
    key: Flags.string({description: 'Private key file', helpValue: 'FILE', dependsOn: ['sign']}),
  }

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchPack)
    const directory = `${flags['out-dir']}/`
    const gathered = await this.gather(args.file, flags, 'package')
    const signer = flags.sign ? await loadSigningKey({atom: this.atom, interactive: this.interactive}) : undefined
    const epoch = sourceDateEpoch(this.atom.environment)
    const claimed = new Map<string, string>()
    const scope = [resolve(directory), signer?.keyHint ?? '', String(epoch)]
    return this.runBatch(
      {...gathered, operation: 'pack', scope},
      {
        fingerprint: async ({subject}) => fingerprintPacked(subject, directory),
        perform: ({subject}) => this.#pack(subject, {directory, signer, epoch, claimed}),
      },
    )
  }

  async #pack(subject: string, {directory, signer, epoch, claimed}: PackOptions): Promise<Done> {
    const source = await readSource(subject)
    const path = await tarballPath(directory, source.document)
    const other = claimed.get(path)
    if (other !== undefined) {
      throw new AtomError('CONFLICT', `${subject} and ${other} would both be ${path}`, {
        hint: 'raise metadata.version of one of them, or leave one out',
      })
    }
    claimed.set(path, subject)
    const packed = await packPackage(source, {
      path,
      ...(epoch === undefined ? {} : {sourceDateEpoch: epoch}),
      ...(signer ? {signer} : {}),
    })
    if (!signer) this.atom.warnings.push(...(await findStaleSignatures(source, packed)))
    return {id: packed.id, note: path, fingerprint: await fingerprintPacked(subject, directory)}
  }
}

interface PackOptions {
  directory: string
  signer: Signer | undefined
  epoch: number | undefined
  /** Tarball → the package that it is made of. */
  claimed: Map<string, string>
}

/** A package is packed while its content is the same and its tarball is there. */
async function fingerprintPacked(subject: string, directory: string): Promise<string> {
  const source = await readSource(subject)
  const isThere = await access(await tarballPath(directory, source.document)).then(
    () => true,
    () => false,
  )
  return `${await fingerprintSource(source)} ${isThere}`
}
