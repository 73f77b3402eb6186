import type {LocalPackage} from '../packages/index.ts'
import type {PackageUpload} from '../registry/index.ts'
import {readDetachedBundle} from './detached-bundle.ts'

/**
 * What is sent for a verified local package. A document goes from memory, exactly the bytes that were verified; a
 * tarball is streamed and its digest compared, with the bundle beside it when there is one.
 * @throws SIGNATURE_MALFORMED
 */
export async function uploadOf(local: LocalPackage): Promise<PackageUpload> {
  if (local.kind === 'yaml') return {kind: 'yaml', file: {bytes: local.document.bytes}}
  const bundle = await readDetachedBundle(local.path)
  return {kind: 'tarball', file: {path: local.path}, digest: local.digest, ...(bundle ? {bundle} : {})}
}
