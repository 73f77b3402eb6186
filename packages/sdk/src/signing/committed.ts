import {createHash} from 'node:crypto'
import type {PackageFile} from '@atomctl/wpk/archive'
import type {PackageSource} from '../packing/package-source.ts'
import {askGit, type Git} from './git.ts'

interface CommittedFile {
  /** Of the blob, in hex. */
  readonly id: string
  /** `100644`, `100755`, `120000` for a link, `160000` for a submodule. */
  readonly mode: string
}

/**
 * Whether a file that is packed is not what was committed, byte for byte, or one that was committed is missing. git's
 * index is not asked: `assume-unchanged`, a clean filter or a trusted time stamp in it can hide any change.
 */
export async function areFilesChanged(
  git: Git,
  commit: string,
  {files, document}: {readonly files: PackageSource['files']; readonly document: string},
): Promise<boolean> {
  const listing = await askGit(git, ['ls-tree', '-r', '-z', '--full-tree', `${commit}:./`])
  if (listing === undefined) return true
  const missing = await committedFiles(listing)
  missing.delete(document)
  for (const file of files) {
    const committed = missing.get(file.path)
    if (!committed || !(await isCommitted(file, committed))) return true
    missing.delete(file.path)
  }
  return missing.size > 0
}

/** By path; without what never goes into a package. */
async function committedFiles(listing: Buffer): Promise<Map<string, CommittedFile>> {
  const {isLeftOut} = await import('@atomctl/wpk/archive')
  const files = new Map<string, CommittedFile>()
  for (const line of listing.toString('utf8').split('\0')) {
    const [, mode, id, path] = /^(\d{6}) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
    if (mode && id && path && !path.split('/').some(isLeftOut)) files.set(path, {mode, id})
  }
  return files
}

async function isCommitted(file: PackageFile, {id, mode}: CommittedFile): Promise<boolean> {
  if (mode !== (file.exec ? '100755' : '100644')) return false
  const blob = createHash(id.length === 64 ? 'sha256' : 'sha1').update(`blob ${file.size}\0`)
  const content = createHash('sha256')
  for await (const chunk of file.open() as AsyncIterable<Uint8Array>) {
    blob.update(chunk)
    content.update(chunk)
  }
  const sha256 = content.digest('hex')
  return blob.digest('hex') === id && sha256 === (file.sha256 ?? sha256)
}
