import {pipeline} from 'node:stream/promises'
import {constants, crc32, createDeflateRaw, createInflateRaw, type InflateRaw} from 'node:zlib'
import {AtomError} from '../errors.ts'
import {type ArchiveLimits, checkLimit} from './limits.ts'

// RFC 1952: magic, deflate, no flags, mtime 0, no extra flags, OS "unknown". node:zlib would write the OS it runs on.
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
/** Of the header, the bytes a reader insists on; XFL and OS (8, 9) only tell how it was compressed. */
const FIXED_HEADER_BYTES = 8
const TRAILER_BYTES = 8
const CHUNK = 64 * 1024

/** True when the first bytes of a file are those of a gzip stream, which every package archive is. */
export function isArchive(firstBytes: Uint8Array): boolean {
  return firstBytes.length >= 2 && firstBytes[0] === 0x1f && firstBytes[1] === 0x8b
}

/** One gzip member with the deterministic header around the compressed chunks. */
export async function* compressGzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const checksum = new Checksum()
  const deflate = createDeflateRaw({level: constants.Z_DEFAULT_COMPRESSION, chunkSize: CHUNK})
  const fed = pipeline(checksum.follow(chunks), deflate)
  fed.catch(() => undefined) // the loop below sees the same error
  yield HEADER
  yield* deflate
  await fed
  yield checksum.trailer()
}

/**
 * The content of a gzip stream that is exactly one member: no optional header fields, right checksum and length,
 * nothing after it. zlib's own gunzip accepts further members and trailing bytes, so the frame is read here.
 * Throws ARCHIVE_INVALID or ARCHIVE_TOO_LARGE.
 */
export async function* expandGzip(
  chunks: AsyncIterable<Uint8Array>,
  limits: ArchiveLimits,
): AsyncGenerator<Uint8Array> {
  const frame = new Frame(limits)
  const inflate = createInflateRaw({chunkSize: CHUNK})
  const fed = pipeline(frame.follow(chunks), inflate)
  fed.catch(() => undefined)
  const checksum = new Checksum()
  try {
    // The iterator must not destroy the stream: what follows the member still has to be read and counted.
    for await (const chunk of checksum.follow(inflate.iterator({destroyOnReturn: false}))) {
      checkExpansion(checksum.size, frame.size, limits)
      yield chunk
    }
    await fed
  } catch (error) {
    throw asArchiveError(error)
  } finally {
    inflate.destroy()
  }
  frame.checkEnd(inflate, checksum)
}

function checkExpansion(expanded: number, compressed: number, limits: ArchiveLimits): void {
  checkLimit('unpacked size of the archive in bytes', expanded, limits.totalBytes)
  if (expanded <= limits.ratioFloor) return
  checkLimit('expansion ratio of the archive', Math.floor(expanded / compressed), limits.ratio)
}

function asArchiveError(error: unknown): unknown {
  const code = (error as {code?: unknown} | undefined)?.code
  if (typeof code !== 'string' || !code.startsWith('Z_')) return error
  const message = code === 'Z_BUF_ERROR' ? 'the archive is truncated' : 'the archive is damaged gzip data'
  return new AtomError('ARCHIVE_INVALID', message, {cause: error})
}

/** CRC-32 and length of what flows by, as the gzip trailer states them. */
class Checksum {
  size = 0
  #crc = 0

  async *follow(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.size += chunk.byteLength
      this.#crc = crc32(chunk, this.#crc)
      yield chunk
    }
  }

  trailer(): Buffer {
    const trailer = Buffer.alloc(TRAILER_BYTES)
    trailer.writeUInt32LE(this.#crc, 0)
    trailer.writeUInt32LE(this.size % 2 ** 32, 4)
    return trailer
  }
}

/** The bytes around the deflate stream: header in front, the last eight kept as the trailer. */
class Frame {
  size = 0
  readonly #limits: ArchiveLimits
  #tail: Buffer = Buffer.alloc(0)

  constructor(limits: ArchiveLimits) {
    this.#limits = limits
  }

  async *follow(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let head: Buffer | undefined = Buffer.alloc(0)
    for await (const chunk of chunks) {
      this.size += chunk.byteLength
      checkLimit('size of the archive in bytes', this.size, this.#limits.compressedBytes)
      this.#tail = Buffer.concat([this.#tail, chunk.subarray(-TRAILER_BYTES)]).subarray(-TRAILER_BYTES)
      if (!head) {
        yield chunk
        continue
      }
      head = Buffer.concat([head, chunk])
      if (head.length < HEADER.length) continue
      checkHeader(head)
      yield head.subarray(HEADER.length)
      head = undefined
    }
    if (head) checkHeader(head)
  }

  /** After the last byte: the deflate stream and the trailer must account for every byte read. */
  checkEnd(inflate: InflateRaw, checksum: Checksum): void {
    const member = HEADER.length + inflate.bytesWritten + TRAILER_BYTES
    if (this.size < member) throw new AtomError('ARCHIVE_INVALID', 'the archive is truncated')
    if (this.size > member) {
      throw new AtomError('ARCHIVE_INVALID', `${this.size - member} bytes follow the end of the archive`)
    }
    if (!this.#tail.equals(checksum.trailer())) {
      throw new AtomError('ARCHIVE_INVALID', 'the archive is damaged: its checksum does not match')
    }
  }
}

function checkHeader(head: Buffer): void {
  if (!isArchive(head)) throw new AtomError('ARCHIVE_INVALID', 'the file is not a gzip archive')
  if (head.length >= HEADER.length && head.compare(HEADER, 0, FIXED_HEADER_BYTES, 0, FIXED_HEADER_BYTES) === 0) return
  throw new AtomError('ARCHIVE_INVALID', 'the gzip header is not canonical (name, time, comment or extra field)', {
    hint: 'pack it again with: atomctl pack',
  })
}
