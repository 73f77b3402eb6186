import {stat} from 'node:fs/promises'
import type {WpkDocument} from '@atomctl/wpk/document'
import {oneLine} from '../output/style.ts'
import type {DigestedSource} from '../packing/package-source.ts'
import {inputFailure, readHead, readInput, streamOf} from '../files/read.ts'

/** Upper bound of a document (spec: package format, the gate). */
export const DOCUMENT_LIMIT = 1 << 20

/** A package read from the disk: a document alone, or a tarball or directory with its document and files. */
export interface LocalPackage {
  /** As named on the command line. */
  readonly path: string
  readonly kind: 'yaml' | 'tarball' | 'directory'
  readonly document: WpkDocument
  /** Files beside the document; empty for a document alone. */
  readonly files: readonly {path: string; size: number; exec: boolean; sha256: string}[]
  /** `sha256:<hex>` and size of the bytes as they are; of a directory, those of its document. */
  readonly digest: string
  readonly size: number
  /** What a directory is packed from; its files are the ones listed, or packing fails. */
  readonly source?: DigestedSource
}

/**
 * Reads and checks a document, a tarball or a directory that "pack" would pack; a tarball is streamed, never held in
 * memory. A directory that holds nothing but its document is that document.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, WPK_UNREADABLE, WPK_INVALID (details.findings), ARCHIVE_INVALID,
 * ARCHIVE_TOO_LARGE.
 */
export async function loadPackage(path: string): Promise<LocalPackage> {
  const form = path === '-' ? 'yaml' : await formOf(path)
  if (form === 'tarball') return loadTarball(path)
  if (form === 'directory') return loadDirectory(path)
  const bytes = await readInput(path, DOCUMENT_LIMIT)
  const document = await parseDocument(bytes, path === '-' ? 'standard input' : path)
  return {path, kind: 'yaml', document, files: [], digest: await digestOf(bytes), size: bytes.length}
}

async function formOf(path: string): Promise<LocalPackage['kind']> {
  const info = await stat(path).catch((error: unknown) => {
    throw inputFailure(path, error)
  })
  if (info.isDirectory()) return 'directory'
  const head = await readHead(path)
  return head[0] === 0x1f && head[1] === 0x8b ? 'tarball' : 'yaml'
}

async function loadDirectory(path: string): Promise<LocalPackage> {
  const {digestSource, readSource} = await import('../packing/package-source.ts')
  const source = await digestSource(await readSource(path))
  const {document, files} = source
  const {bytes} = document
  const common = {path, document, files, digest: await digestOf(bytes), size: bytes.length}
  return files.length === 0 ? {...common, kind: 'yaml'} : {...common, kind: 'directory', source}
}

async function loadTarball(path: string): Promise<LocalPackage> {
  const {readArchive} = await import('@atomctl/wpk/archive')
  const {keepGarbageSmall} = await import('./memory.ts')
  keepGarbageSmall()
  const {documentBytes, files, digest, size} = await readArchive(streamOf(path))
  return {path, kind: 'tarball', document: await parseDocument(documentBytes, path), files, digest, size}
}

async function parseDocument(bytes: Uint8Array, source: string): Promise<WpkDocument> {
  const {loadDocument} = await import('@atomctl/wpk/document')
  // the source only ever appears in messages and hints, where a hostile name must not pass for a line of output
  return loadDocument(bytes, oneLine(source))
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const {hash} = await import('node:crypto')
  return `sha256:${hash('sha256', bytes, 'hex')}`
}
