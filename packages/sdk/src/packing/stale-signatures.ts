import {isAtomError} from '../errors.ts'
import {bundlePathOf, readDetachedBundle} from './detached-bundle.ts'
import {digestSource, type PackageSource} from './package-source.ts'
import type {PackedPackage} from './pack-package.ts'

/**
 * What a freshly packed, not freshly signed package carries that will be refused later: a signature over other
 * content or files, or an earlier tarball's bundle beside it.
 */
export async function findStaleSignatures(source: PackageSource, packed: PackedPackage): Promise<string[]> {
  const [document, bundle] = await Promise.all([isDocumentStale(source), isBundleStale(packed)])
  return [
    ...(document ? [`the signature in ${source.path} does not cover what was packed; pack it with --sign`] : []),
    ...(bundle ? [`${bundlePathOf(packed.file)} belongs to an earlier tarball; remove it, or pack with --sign`] : []),
  ]
}

async function isDocumentStale(source: PackageSource): Promise<boolean> {
  const {document} = source
  if (!document.wpk.metadata.signature) return false
  const {files} = await digestSource(source)
  const [{bundlesOf, readSignature}, {documentDigest}] = await Promise.all([
    import('@atomctl/wpk/signing'),
    import('@atomctl/wpk/canonical'),
  ])
  return orStale(() => {
    const digest = documentDigest(document.value)
    const names = (list: readonly {path: string; sha256: string}[]): string =>
      JSON.stringify(list.map(({path, sha256}) => [path, sha256]))
    return bundlesOf(document.value)
      .map((bundle) => readSignature(bundle).statement)
      .some((signed) => signed.documentDigest !== digest || names(signed.files) !== names(files))
  })
}

async function isBundleStale({file, digest}: PackedPackage): Promise<boolean> {
  const {decodeBundle} = await import('@atomctl/wpk/signing')
  try {
    const bundle = await readDetachedBundle(file)
    return bundle !== undefined && orStale(() => digestOf(decodeBundle(bundle).content) !== digest)
  } catch (error) {
    if (isAtomError(error)) return true
    throw error
  }
}

function digestOf(content: {kind: string; digest?: Buffer}): string {
  return `sha256:${content.digest?.toString('hex') ?? ''}`
}

/** A signature that cannot be read covers nothing. */
function orStale(judge: () => boolean): boolean {
  try {
    return judge()
  } catch (error) {
    if (isAtomError(error)) return true
    throw error
  }
}
