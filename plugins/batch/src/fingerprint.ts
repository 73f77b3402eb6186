import {createHash, hash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {stat} from 'node:fs/promises'
import {pipeline} from 'node:stream/promises'
import {inputFailure} from '@atomctl/sdk/files'
import {isFileReference} from '@atomctl/sdk/packages'
import {digestSource, type PackageSource, readSource} from '@atomctl/sdk/packing'

/** Digest of a file's bytes, read as a stream. @throws INPUT_MISSING, INPUT_UNREADABLE */
export async function fingerprintFile(path: string): Promise<string> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(path), digest).catch((error: unknown) => {
    throw inputFailure(path, error)
  })
  return `sha256:${digest.digest('hex')}`
}

/** Digest of a document and the files of its package. */
export async function fingerprintSource(source: PackageSource): Promise<string> {
  const {document, files} = await digestSource(source)
  const members = files.map(({path, exec, sha256}) => [path, exec, sha256])
  return hash('sha256', JSON.stringify([hash('sha256', document.bytes), members]))
}

/** Digest of a file's bytes, or of a directory's package. */
export async function fingerprintContent(path: string): Promise<string> {
  const info = await stat(path).catch((error: unknown) => {
    throw inputFailure(path, error)
  })
  return info.isDirectory() ? fingerprintSource(await readSource(path)) : fingerprintFile(path)
}

/** Digest of a file or directory; a workflow ID stands for itself, because a version keeps its bytes once pushed. */
export async function fingerprintSubject(subject: string): Promise<string> {
  return isFileReference(subject) ? fingerprintContent(subject) : subject
}
