import {stageFile} from '../files/index.ts'
import type {Provenance, Signer} from '@atomctl/wpk/signing'
import {digestSource, type PackageSource} from '../packing/package-source.ts'

export interface SignedFileResult {
  /** The file that carries, or is, the signature. */
  file: string
  /** `name-version` of the package; absent for a detached signature. */
  id?: string
  /** `sha256:…` of what was signed: the canonical document; absent for a detached signature. */
  digest?: string
  /** Of the key; in keyless signing, of the key that existed for this signature only. */
  fingerprint: string
  /** Keyless: whom the certificate names. */
  identity?: string
  /** Keyless: who vouched for the identity. */
  issuer?: string
  /** How many signatures the document has now; absent for a detached one. */
  signatures?: number
}

export interface SignInPlaceOptions {
  /** The only registry the package may be taken from. */
  readonly registry?: string | undefined
  readonly provenanceOf?: ((source: PackageSource) => Promise<Provenance>) | undefined
  /** Keep the signatures that are there, by others. */
  readonly append?: boolean
}

/**
 * Signs every document in its file. All signatures are made and written beside the files before the first file
 * changes, so that a failure leaves all of them as they were. `open` is called once, when the first document was found good.
 */
export async function signInPlace(
  sources: readonly PackageSource[],
  open: () => Promise<Signer>,
  {registry, provenanceOf, append = false}: SignInPlaceOptions = {},
): Promise<SignedFileResult[]> {
  const [{bundlesOf, signDocument, fingerprintOfHint}, {documentDigest}] = await Promise.all([
    import('@atomctl/wpk/signing'),
    import('@atomctl/wpk/canonical'),
  ])
  let opening: Promise<Signer> | undefined
  const signerOnce = (): Promise<Signer> => (opening ??= open())
  await using stack = new AsyncDisposableStack()
  const staged = []
  const counts: number[] = []
  for (const source of sources) {
    const digested = await digestSource(source)
    const {path, document, files} = digested
    const provenance = await provenanceOf?.(digested)
    const claims = {...(registry === undefined ? {} : {registry}), ...(provenance === undefined ? {} : {provenance})}
    const {text, document: signed} = await signDocument(document, signerOnce, {files, append, ...claims})
    counts.push(bundlesOf(signed.value).length)
    staged.push(stack.use(await stageFile(path, text)))
  }
  for (const file of staged) await file.commit()
  const signer = await signerOnce()
  const fingerprint = fingerprintOfHint(signer.keyHint)
  return sources.map(({path, document}, index) => ({
    file: path,
    id: document.id,
    digest: documentDigest(document.value),
    fingerprint,
    ...signer.claims,
    signatures: counts[index] ?? 1,
  }))
}

/** Writes `FILE.sigstore.json` beside each file: all of them or none. */
export async function signDetached(paths: readonly string[], open: () => Promise<Signer>): Promise<SignedFileResult[]> {
  const [{signFile, fingerprintOfHint}, {streamOf}, {bundlePathOf}] = await Promise.all([
    import('@atomctl/wpk/signing'),
    import('../files/index.ts'),
    import('../packing/detached-bundle.ts'),
  ])
  const signer = await open()
  await using stack = new AsyncDisposableStack()
  const staged = []
  for (const path of paths) {
    const bundle = await signFile(streamOf(path), signer)
    staged.push(stack.use(await stageFile(bundlePathOf(path), `${JSON.stringify(bundle)}\n`)))
  }
  for (const file of staged) await file.commit()
  return staged.map(({path}) => ({file: path, fingerprint: fingerprintOfHint(signer.keyHint), ...signer.claims}))
}
