import type {Readable, Writable} from 'node:stream'
import {extract, type Header, pack} from 'tar-stream'

export type {Header} from 'tar-stream'

/** The part of tar-stream's writer that is used, in Node's stream types (its own are those of streamx). */
export interface TarWriter extends Readable {
  entry(header: Partial<Header> & {name: string}): Writable
  finalize(): void
}

/** One member as tar-stream's reader yields it. */
export interface TarEntry extends AsyncIterable<Uint8Array> {
  readonly header: Header
}

export type TarReader = Writable & AsyncIterable<TarEntry>

export function createTarWriter(): TarWriter {
  return pack() as unknown as TarWriter
}

export function createTarReader(): TarReader {
  return extract() as unknown as TarReader
}
