import {createHash} from 'node:crypto'
import type {Readable} from 'node:stream'
import {expandGzip} from './gzip.ts'
import {type ArchiveLimits, limitsOf} from './limits.ts'
import type {ArchiveFileInfo} from './members.ts'
import {type OpenSink, TarWalk} from './walk.ts'

/** A package archive after it was read to its last byte and found canonical. */
export interface ArchiveContents {
  /** The bytes of wpk.yaml. */
  readonly documentBytes: Uint8Array
  /** Every member but the document, sorted by path. */
  readonly files: readonly ArchiveFileInfo[]
  /** `sha256:<hex>` of the archive's bytes. */
  readonly digest: string
  /** Bytes of the archive. */
  readonly size: number
}

/**
 * Reads a package archive as a stream, in constant memory. It must be exactly what packing its content would write:
 * one gzip member, canonical ustar, safe portable paths, regular files only, within the limits.
 * Throws ARCHIVE_INVALID or ARCHIVE_TOO_LARGE; errors of the source pass through.
 */
export async function readArchive(source: () => Readable, limits?: Partial<ArchiveLimits>): Promise<ArchiveContents> {
  return walkArchive(source, limitsOf(limits), async () => undefined)
}

/** As `readArchive`, handing every member's bytes to the sink that `open` gives for it. */
export async function walkArchive(
  source: () => Readable,
  limits: ArchiveLimits,
  open: OpenSink,
): Promise<ArchiveContents> {
  const digest = createHash('sha256')
  let size = 0
  async function* digested(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source() as AsyncIterable<Uint8Array>) {
      digest.update(chunk)
      size += chunk.byteLength
      yield chunk
    }
  }
  const contents = await new TarWalk(limits, open).run(expandGzip(digested(), limits))
  return {...contents, digest: `sha256:${digest.digest('hex')}`, size}
}
