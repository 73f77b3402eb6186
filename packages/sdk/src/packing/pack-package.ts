import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {type StagedFile, stageFile} from '../files/index.ts'
import type {Provenance, Signer} from '@atomctl/wpk/signing'
import {bundlePathOf} from './detached-bundle.ts'
import {type DigestedSource, digestSource, type PackageSource} from './package-source.ts'

export interface PackedPackage {
  id: string
  file: string
  /** `sha256:…` of the tarball's bytes. */
  digest: string
  size: number
  /** Members, the document included. */
  files: number
  /** Set when it was signed. */
  bundle?: string
  fingerprint?: string
  /** Keyless: whom the certificate names, and who vouched for that. */
  identity?: string
  issuer?: string
}

export interface PackTarget {
  readonly path: string
  /** Seconds since 1970 of every member (SOURCE_DATE_EPOCH). */
  readonly sourceDateEpoch?: number
  /** Sign the document in its file, and the tarball with a bundle beside it. */
  readonly signer?: Signer
  /** Keep the signatures that are there, by others. */
  readonly append?: boolean
  /** What the signature states about how the package was built. */
  readonly provenance?: Provenance
}

/**
 * Writes the tarball of a package, as a stream. The signed document, the tarball and its bundle are written out
 * completely before the first of them appears: a failure leaves all three as they were.
 */
export async function packPackage(given: PackageSource, target: PackTarget): Promise<PackedPackage> {
  await using stack = new AsyncDisposableStack()
  const {signer} = target
  const digested = signer && (await digestSource(given))
  const source = digested ?? given
  const signed = signer && digested ? await signSource(digested, signer, target) : undefined
  const document = signed === undefined ? undefined : stack.use(await stageFile(source.path, signed))
  const bytes = signed === undefined ? source.document.bytes : Buffer.from(signed)
  const archive = await writeArchive(source, bytes, target)
  stack.use(archive.staged)
  const bundle = signer && stack.use(await stageBundle(archive.staged, signer))
  for (const file of [document, archive.staged, bundle]) await file?.commit()
  return {
    id: source.document.id,
    file: target.path,
    digest: archive.digest(),
    size: archive.size(),
    files: source.files.length + 1,
    ...(bundle && signer ? {bundle: bundle.path, fingerprint: await fingerprintOf(signer), ...signer.claims} : {}),
  }
}

async function signSource(
  {document, files}: DigestedSource,
  signer: Signer,
  {provenance, append = false}: PackTarget,
): Promise<string> {
  const {signDocument} = await import('@atomctl/wpk/signing')
  return (await signDocument(document, signer, {files, append, ...(provenance === undefined ? {} : {provenance})})).text
}

interface WrittenArchive {
  readonly staged: StagedFile
  digest(): string
  size(): number
}

async function writeArchive(source: PackageSource, bytes: Uint8Array, target: PackTarget): Promise<WrittenArchive> {
  const {documentMember, packArchive} = await import('@atomctl/wpk/archive')
  const {keepGarbageSmall} = await import('../packages/memory.ts')
  keepGarbageSmall()
  const {path, sourceDateEpoch} = target
  const options = sourceDateEpoch === undefined ? {} : {sourceDateEpoch}
  const archive = packArchive([documentMember(bytes), ...source.files], options)
  const hash = createHash('sha256')
  let size = 0
  async function* measured(): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive as AsyncIterable<Uint8Array>) {
      hash.update(chunk)
      size += chunk.byteLength
      yield chunk
    }
  }
  const staged = await stageFile(path, Readable.from(measured(), {objectMode: false}))
  return {staged, digest: () => `sha256:${hash.digest('hex')}`, size: () => size}
}

async function stageBundle(archive: StagedFile, signer: Signer): Promise<StagedFile> {
  const {signFile} = await import('@atomctl/wpk/signing')
  const bundle = await signFile(() => archive.open(), signer)
  return stageFile(bundlePathOf(archive.path), `${JSON.stringify(bundle)}\n`)
}

async function fingerprintOf(signer: Signer): Promise<string> {
  const {fingerprintOfHint} = await import('@atomctl/wpk/signing')
  return fingerprintOfHint(signer.keyHint)
}
