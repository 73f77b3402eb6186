import {createHash} from 'node:crypto'
import type {ArchiveFileInfo, PackageFile} from './members.ts'

/**
 * The same files with their SHA-256, read as streams one after the other. Sign these and pack these: packing then
 * refuses a file whose bytes are no longer the ones that were signed.
 */
export async function digestFiles(files: readonly PackageFile[]): Promise<(PackageFile & ArchiveFileInfo)[]> {
  const digested: (PackageFile & ArchiveFileInfo)[] = []
  for (const file of files) digested.push({...file, sha256: await digestFile(file)})
  return digested
}

async function digestFile(file: PackageFile): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of file.open() as AsyncIterable<Uint8Array>) digest.update(chunk)
  return digest.digest('hex')
}
