import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {AtomError} from '../errors.ts'
import {compressGzip} from './gzip.ts'
import {checkLimit, limitsOf, type ArchiveLimits} from './limits.ts'
import {type PackageFile, startMember} from './members.ts'
import {checkPath, comparePaths, DOCUMENT_NAME, PathSet} from './paths.ts'
import {createTarWriter, type TarWriter} from './tar.ts'

export interface PackOptions {
  /** Time of every member in seconds since 1970, as SOURCE_DATE_EPOCH (reproducible-builds.org) gives it; 0 unless set. */
  readonly sourceDateEpoch?: number
  readonly limits?: Partial<ArchiveLimits>
}

/** The document as a package member. */
export function documentMember(bytes: Uint8Array): PackageFile {
  return {path: DOCUMENT_NAME, size: bytes.byteLength, exec: false, open: () => Readable.from([Buffer.from(bytes)])}
}

/**
 * A deterministic .tar.gz of these members, one of which is the document (`documentMember`): sorted names, fixed
 * metadata, fixed gzip header. The tar is the same everywhere; its compression is that of Node's zlib, which has not
 * changed from Node 20 to 26. Memory stays constant whatever the size. Throws ARCHIVE_INVALID at once for paths no
 * reader would accept; the stream fails with ARCHIVE_INVALID when a file is not what it was said to be.
 */
export function packArchive(files: readonly PackageFile[], options: PackOptions = {}): Readable {
  const members = [...files].sort((left, right) => comparePaths(left.path, right.path))
  checkMembers(members, limitsOf(options.limits))
  const mtime = new Date(checkEpoch(options.sourceDateEpoch ?? 0) * 1000)
  return Readable.from(compressGzip(tarOf(members, mtime)), {objectMode: false})
}

function checkMembers(members: readonly PackageFile[], limits: ArchiveLimits): void {
  const paths = new PathSet()
  for (const {path, size} of members) {
    paths.add(checkPath(path))
    checkLimit(`size of ${path} in bytes`, size, limits.fileBytes)
  }
  const document = members.find(({path}) => path === DOCUMENT_NAME)
  if (!document) throw new AtomError('ARCHIVE_INVALID', `the package has no ${DOCUMENT_NAME}`)
  if (document.exec) throw new AtomError('ARCHIVE_INVALID', `${DOCUMENT_NAME} must not be executable`)
  checkLimit(`size of ${DOCUMENT_NAME} in bytes`, document.size, limits.documentBytes)
  checkLimit('number of files in the package', members.length, limits.files)
  checkLimit('unpacked size of the archive in bytes', sizeOfTar(members), limits.totalBytes)
}

/** Header and padded content of every member, then two zero blocks. */
function sizeOfTar(members: readonly PackageFile[]): number {
  return members.reduce((total, {size}) => total + 512 + Math.ceil(size / 512) * 512, 1024)
}

function checkEpoch(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds < 2 ** 31) return seconds
  throw new AtomError('ARCHIVE_INVALID', `SOURCE_DATE_EPOCH must be whole seconds since 1970, not ${seconds}`, {
    hint: 'unset SOURCE_DATE_EPOCH',
  })
}

async function* tarOf(members: readonly PackageFile[], mtime: Date): AsyncGenerator<Uint8Array> {
  const writer = createTarWriter()
  const written = writeMembers(writer, members, mtime)
  written.catch((error: Error) => writer.destroy(error))
  try {
    yield* writer as AsyncIterable<Uint8Array>
    await written
  } finally {
    writer.destroy()
  }
}

async function writeMembers(writer: TarWriter, members: readonly PackageFile[], mtime: Date): Promise<void> {
  for (const member of members) await pipeline(checkedContent(member), startMember(writer, member, mtime))
  writer.finalize()
}

/** The file's bytes, failing when there are more, fewer or others than the member announces. */
async function* checkedContent(member: PackageFile): AsyncGenerator<Uint8Array> {
  const digest = member.sha256 === undefined ? undefined : createHash('sha256')
  let size = 0
  for await (const chunk of member.open() as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > member.size) throw changedFile(member.path)
    digest?.update(chunk)
    yield chunk
  }
  if (size !== member.size || (digest && digest.digest('hex') !== member.sha256)) throw changedFile(member.path)
}

/** The error for a file that is no longer what was collected or signed. */
export function changedFile(path: string, cause?: unknown): AtomError {
  return new AtomError('ARCHIVE_INVALID', `${path} changed while it was being packed`, {
    hint: 'run the command again when nothing writes to the directory',
    details: {path},
    cause,
  })
}
