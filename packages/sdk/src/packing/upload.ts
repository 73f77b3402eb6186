import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {LocalPackage} from '../packages/index.ts'
import type {PackageUpload} from '../registry/index.ts'
import {readDetachedBundle} from './detached-bundle.ts'
import {packPackage} from './pack-package.ts'
import type {DigestedSource} from './package-source.ts'

/** What is sent of a package, until it is disposed of: a directory's tarball is a temporary file. */
export type OpenUpload = PackageUpload & AsyncDisposable & {readonly size: number}

const NOTHING = {async [Symbol.asyncDispose](): Promise<void> {}}

/**
 * What is sent for a verified local package. A document goes from memory, exactly the bytes that were verified; a
 * tarball is streamed and its digest compared, with the bundle beside it when there is one; a directory is packed as
 * "pack" packs it, which fails when a file is not the one that was verified.
 * @param epoch SOURCE_DATE_EPOCH, for the tarball of a directory
 * @throws SIGNATURE_MALFORMED, ARCHIVE_INVALID
 */
export async function uploadOf(local: LocalPackage, epoch?: number): Promise<OpenUpload> {
  const {kind, path, digest, size, source, document} = local
  if (kind === 'yaml') return {kind, file: {bytes: document.bytes}, size, ...NOTHING}
  if (source) return packForUpload(source, epoch)
  const bundle = await readDetachedBundle(path)
  return {kind: 'tarball', file: {path}, digest, size, ...(bundle ? {bundle} : {}), ...NOTHING}
}

async function packForUpload(source: DigestedSource, epoch: number | undefined): Promise<OpenUpload> {
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-push-'))
  const remove = (): Promise<void> => rm(directory, {recursive: true, force: true})
  try {
    const path = join(directory, `${source.document.id}.wpk.tar.gz`)
    const {digest, size} = await packPackage(source, {path, ...(epoch === undefined ? {} : {sourceDateEpoch: epoch})})
    return {kind: 'tarball', file: {path}, digest, size, [Symbol.asyncDispose]: remove}
  } catch (error) {
    await remove()
    throw error
  }
}
