import type {Readable, Writable} from 'node:stream'
import {AtomError} from '../errors.ts'
import type {TarWriter} from './tar.ts'

/** One file to be packed. `open` may be called several times and gives the same bytes each time. */
export interface PackageFile {
  /** Path inside the package, with `/` between segments. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Whether the executable bit is set (mode 0755 instead of 0644). */
  readonly exec: boolean
  /** Hex SHA-256 when the content was digested before; packing then refuses other bytes. */
  readonly sha256?: string
  open(): Readable
}

/** What an archive says, and hashing found, about one file of it. */
export interface ArchiveFileInfo {
  readonly path: string
  readonly size: number
  readonly exec: boolean
  /** Lower-case hex. */
  readonly sha256: string
}

/**
 * Starts a member exactly as the canonical form has it: ustar, mode 0644 or 0755, uid and gid 0, no names, one mtime
 * for all. Packing and the byte-for-byte check of reading both go through here, so that they cannot differ.
 */
export function startMember(
  writer: TarWriter,
  member: Pick<PackageFile, 'path' | 'size' | 'exec'>,
  mtime: Date,
): Writable {
  const {path, size, exec} = member
  return writer.entry({name: path, size, mode: exec ? 0o755 : 0o644, mtime, type: 'file', uid: 0, gid: 0})
}

/** The error for bytes that rewriting the archive would not give; `what` says where. */
export function notCanonical(what: string, cause?: unknown): AtomError {
  return new AtomError('ARCHIVE_INVALID', `the archive is not in canonical form: ${what}`, {
    hint: 'pack it again with: atomctl pack',
    cause,
  })
}
