import {isAtomError} from '../errors.ts'
import {readInput, writeFileSafely} from '../files/index.ts'
import {DOCUMENT_LIMIT} from '../packages/index.ts'
import type {FileReport} from './report.ts'

export interface ValidateOptions {
  /** Warnings fail as well. */
  readonly strict: boolean
  /** Rewrite what can be rewritten safely, in the file. */
  readonly fix: boolean
  /** An only file that cannot be read is a finding as well, not an error. */
  readonly collect?: boolean
  /** Sees the bytes that are checked. */
  observe?(path: string, bytes: Uint8Array): void
}

/** Files read while another is checked; memory is bounded by so many documents, whatever the number of files. */
const AHEAD = 8

/** Checks every file; one that cannot be read is a finding beside the others, unless it is the only one. */
export async function validateFiles(paths: readonly string[], options: ValidateOptions): Promise<FileReport[]> {
  const reports: FileReport[] = []
  const reading: (Promise<Uint8Array | Error> | undefined)[] = []
  for (const [index, path] of paths.entries()) {
    while (reading.length < Math.min(index + AHEAD, paths.length))
      reading.push(readSettled(paths[reading.length] ?? ''))
    const read = await reading[index]
    reading[index] = undefined
    if (read instanceof Uint8Array) reports.push(await validateBytes(read, path, options))
    else reports.push(unreadable(path, read, paths.length === 1 && options.collect !== true))
  }
  return reports
}

// An error waits as a value until its file's turn: a rejected promise that nobody awaits yet would end the process.
function readSettled(path: string): Promise<Uint8Array | Error> {
  return readPackageDocument(path).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  )
}

/** The document's bytes: the file itself, or the first member of a tarball. */
async function readPackageDocument(path: string): Promise<Uint8Array> {
  if (!/\.(tar\.gz|tgz)$/.test(path)) return readInput(path, DOCUMENT_LIMIT)
  const [{readArchive}, {streamOf}] = await Promise.all([import('@atomctl/wpk/archive'), import('../files/index.ts')])
  return (await readArchive(streamOf(path))).documentBytes
}

async function validateBytes(bytes: Uint8Array, path: string, options: ValidateOptions): Promise<FileReport> {
  const {fix, strict} = options
  options.observe?.(path, bytes)
  // what reads YAML is loaded when there is something to read, so that other commands start without it
  const {inspectDocument} = await import('./inspect.ts')
  const name = path === '-' ? 'standard input' : path
  if (!fix) return inspectDocument(bytes, name, strict)
  const {fixDocument} = await import('@atomctl/wpk/document')
  const {text, fixed} = fixDocument(bytes, name)
  if (fixed.length === 0) return inspectDocument(bytes, name, strict)
  await writeFileSafely(path, text)
  return {...(await inspectDocument(Buffer.from(text), name, strict)), fixed}
}

const UNREADABLE = new Set([
  'INPUT_UNREADABLE',
  'INPUT_MISSING',
  'WPK_UNREADABLE',
  'ARCHIVE_INVALID',
  'ARCHIVE_TOO_LARGE',
])

function unreadable(file: string, error: Error | undefined, alone: boolean): FileReport {
  if (!isAtomError(error) || !UNREADABLE.has(error.code)) throw error
  if (alone && error.code.startsWith('INPUT_')) throw error
  const rule = error.code.toLowerCase()
  return {file, valid: false, findings: [{rule, severity: 'error', message: error.message, path: ''}]}
}
