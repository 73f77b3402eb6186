import {stat} from 'node:fs/promises'
import type {WpkDocument} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import {oneLine} from '../output/style.ts'
import {keepGarbageSmall} from './memory.ts'
import {inputFailure, readHead, readInput, streamOf} from '../files/read.ts'

/** Upper bound of a document (spec: package format, the gate). */
export const DOCUMENT_LIMIT = 1 << 20

/** A package read from the disk: a document alone, or a tarball with its document and files. */
export interface LocalPackage {
  /** As named on the command line. */
  readonly path: string
  readonly kind: 'yaml' | 'tarball'
  readonly document: WpkDocument
  /** Files beside the document; empty for a document alone. */
  readonly files: readonly {path: string; size: number; exec: boolean; sha256: string}[]
  /** `sha256:<hex>` and size of the bytes as they are. */
  readonly digest: string
  readonly size: number
}

/**
 * Reads and checks a document or a tarball; a tarball is streamed, never held in memory.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, WPK_UNREADABLE, WPK_INVALID (details.findings), ARCHIVE_INVALID,
 * ARCHIVE_TOO_LARGE.
 */
export async function loadPackage(path: string): Promise<LocalPackage> {
  if (path !== '-' && (await isTarball(path))) return loadTarball(path)
  const bytes = await readInput(path, DOCUMENT_LIMIT)
  const document = await parseDocument(bytes, path === '-' ? 'standard input' : path)
  return {path, kind: 'yaml', document, files: [], digest: await digestOf(bytes), size: bytes.length}
}

async function isTarball(path: string): Promise<boolean> {
  const info = await stat(path).catch((error: unknown) => {
    throw inputFailure(path, error)
  })
  if (info.isDirectory()) {
    throw new AtomError('INPUT_UNREADABLE', `${path} is a directory, not a file`, {hint: `atomctl pack ${path}`})
  }
  const head = await readHead(path)
  return head[0] === 0x1f && head[1] === 0x8b
}

async function loadTarball(path: string): Promise<LocalPackage> {
  const {readArchive} = await import('@atomctl/wpk/archive')
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
