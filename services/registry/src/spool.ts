import {createHash, randomUUID} from 'node:crypto'
import {open, rm, type FileHandle} from 'node:fs/promises'
import {join} from 'node:path'
import type {Readable} from 'node:stream'

/** An upload on disk, complete and measured. Every `open` reads it from its start. */
export interface Spool {
  readonly size: number
  /** `sha256:<hex>`. */
  readonly digest: string
  /** At most the first 4 KiB. */
  readonly head: Uint8Array
  open(): Readable
  bytes(): Promise<Uint8Array>
  close(): Promise<void>
}

const HEAD_BYTES = 4096

/**
 * Writes a slow client's bytes to a file first: checking needs them several times, and the database's one connection
 * (PGlite) must not wait for a network. The file has no name from the start, so that nothing is left of it whatever
 * happens to this process.
 */
export async function spoolBytes(chunks: AsyncIterable<Uint8Array>, directory: string): Promise<Spool> {
  const handle = await openNameless(directory)
  try {
    return describeSpool(handle, await copyBytes(chunks, handle))
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  const file = join(directory, `atomctl-upload-${randomUUID()}`)
  const handle = await open(file, 'wx+', 0o600)
  await rm(file, {force: true})
  return handle
}

async function copyBytes(chunks: AsyncIterable<Uint8Array>, handle: FileHandle) {
  const digest = createHash('sha256')
  const head: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    digest.update(chunk)
    if (size < HEAD_BYTES) head.push(chunk.subarray(0, HEAD_BYTES - size))
    await handle.write(chunk, 0, chunk.length, size)
    size += chunk.length
  }
  return {size, digest: `sha256:${digest.digest('hex')}`, head: Buffer.concat(head)}
}

function describeSpool(handle: FileHandle, measured: {size: number; digest: string; head: Uint8Array}): Spool {
  const openStream = () => handle.createReadStream({start: 0, autoClose: false, highWaterMark: 256 * 1024})
  return {
    ...measured,
    open: openStream,
    bytes: async () => Buffer.concat(await Array.fromAsync(openStream() as AsyncIterable<Buffer>)),
    close: () => handle.close(),
  }
}
