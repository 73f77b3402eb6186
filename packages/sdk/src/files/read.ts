import {createReadStream, readdirSync} from 'node:fs'
import {type FileHandle, open} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {AtomError} from '@atomctl/wpk/errors'
import {suggestName} from '../suggest.ts'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the name is too long',
  ESPIPE: 'it is a pipe; give it as standard input, named -',
}

/**
 * Reads a whole file of at most `limit` bytes; `-` is standard input. A larger one is refused before it is read.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, or WPK_UNREADABLE when too large.
 */
export async function readInput(path: string, limit: number): Promise<Uint8Array> {
  return path === '-' ? readStream(process.stdin, limit, 'standard input') : readFileWithin(path, limit)
}

async function readFileWithin(path: string, limit: number): Promise<Uint8Array> {
  try {
    await using handle = await open(path, 'r')
    const info = await handle.stat()
    if (info.isDirectory()) throw new AtomError('INPUT_UNREADABLE', `${path} is a directory, not a file`)
    if (info.size > limit) throw tooLarge(path, limit)
    return await readHandle(handle, info.isFile() ? info.size : 0, limit, path)
  } catch (error) {
    throw inputFailure(path, error)
  }
}

/** One read for a file that does not grow meanwhile; a stream costs more than the reading of a small file. */
async function readHandle(handle: FileHandle, expected: number, limit: number, name: string): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(expected + 1)
  let size = 0
  while (size < buffer.length) {
    const {bytesRead} = await handle.read(buffer, size, buffer.length - size, null)
    if (bytesRead === 0) return buffer.subarray(0, size)
    size += bytesRead
  }
  const rest = handle.createReadStream({autoClose: false}) as AsyncIterable<Uint8Array>
  return readStream(concatenate(buffer, rest), limit, name)
}

async function* concatenate(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}

async function readStream(stream: AsyncIterable<Uint8Array>, limit: number, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limit) throw tooLarge(name, limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** First bytes of a file, to tell a tarball from a document. */
export async function readHead(path: string, length = 4): Promise<Uint8Array> {
  try {
    await using handle = await open(path, 'r')
    const {buffer, bytesRead} = await handle.read(Buffer.alloc(length), 0, length, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw inputFailure(path, error)
  }
}

/** A fresh stream over a file each time it is called. */
export function streamOf(path: string): () => ReturnType<typeof createReadStream> {
  return () => createReadStream(path)
}

/** A file-system error as ours; others pass unchanged. */
export function inputFailure(path: string, error: unknown): unknown {
  const {code} = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return missingInput(path, error)
  if (code === 'EISDIR') return new AtomError('INPUT_UNREADABLE', `${path} is a directory, not a file`, {cause: error})
  const reason = REASONS[code ?? '']
  return reason ? new AtomError('INPUT_UNREADABLE', `cannot read ${path}: ${reason}`, {cause: error}) : error
}

/** The error of a file that is not there, with the name that was probably meant. */
export function missingInput(path: string, cause?: unknown): AtomError {
  const nearest = suggestName(basename(path), namesIn(dirname(path)))
  const hint =
    nearest === undefined ? 'check the path and the working directory' : `did you mean ${join(dirname(path), nearest)}?`
  return new AtomError('INPUT_MISSING', `${path} does not exist`, {hint, cause})
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).slice(0, 1000)
  } catch {
    return [] // the directory is missing too
  }
}

function tooLarge(name: string, limit: number): AtomError {
  const size = limit >= 1 << 20 ? `${limit >> 20} MiB` : `${limit} bytes`
  const hint = 'a document has at most 1 MiB; larger content belongs in files beside it: atomctl pack DIRECTORY'
  return new AtomError('WPK_UNREADABLE', `${name} is larger than ${size}`, {hint, details: {limit}})
}
