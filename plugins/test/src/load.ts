import {stat} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {type AtomError, isAtomError} from '@atomctl/sdk/errors'
import {readInput} from '@atomctl/sdk/files'
import {DOCUMENT_LIMIT} from '@atomctl/sdk/packages'
import {type Finding, hasErrors, loadDocument, type WpkDocument} from '@atomctl/wpk/document'
import {checkTestNames, placed, readTest, type TestDocument} from '@atomctl/wpk/tests'

/** A test file that can be run, with the package it is about. */
export interface TestFile {
  readonly path: string
  readonly document: TestDocument
  readonly subject: WpkDocument
  /** Absolute: files about the same package count together. */
  readonly subjectPath: string
}

/** A test file that cannot be run, and why. */
export interface BrokenFile {
  readonly path: string
  readonly findings: readonly Finding[]
}

export interface LoadedFiles {
  readonly files: readonly TestFile[]
  readonly broken: readonly BrokenFile[]
}

/** Reads every test file; what is wrong with one are findings with their places. */
export async function loadTests(paths: readonly string[]): Promise<LoadedFiles> {
  const loaded = await Promise.all(paths.map(loadTest))
  return {
    files: loaded.filter((file) => 'document' in file),
    broken: loaded.filter((file) => 'findings' in file),
  }
}

async function loadTest(path: string): Promise<TestFile | BrokenFile> {
  const bytes = await readInput(path, DOCUMENT_LIMIT).catch((error: unknown) => {
    if (isAtomError(error) && error.code === 'WPK_UNREADABLE') return error
    throw error
  })
  if (!(bytes instanceof Uint8Array))
    return {path, findings: [{rule: 'yaml_size', severity: 'error', message: bytes.message, path: ''}]}
  const {document, findings} = readTest(bytes, path)
  if (!document) return {path, findings}
  const subjectPath = resolve(dirname(path), document.test.package)
  const subject = await loadSubject(subjectPath, document)
  if ('rule' in subject) return {path, findings: [subject]}
  const unknown = checkTestNames(document, subject)
  return hasErrors(unknown) ? {path, findings: unknown} : {path, document, subject, subjectPath}
}

/** The package, or what is wrong with it as a finding at the place where the test names it. */
async function loadSubject(named: string, {test, locate}: TestDocument): Promise<WpkDocument | Finding> {
  try {
    if ((await stat(named).catch(() => undefined))?.isDirectory()) return await loadDirectory(named)
    return loadDocument(await readInput(named, DOCUMENT_LIMIT), test.package)
  } catch (error) {
    if (!isAtomError(error) && (error as {code?: unknown}).code !== 'ENOENT') throw error
    const {message, hint} = error as AtomError
    const finding: Finding = {rule: 'test_package', severity: 'error', message, path: 'package'}
    return placed({...finding, ...(hint === undefined ? {} : {suggestion: hint})}, locate)
  }
}

async function loadDirectory(directory: string): Promise<WpkDocument> {
  const {readSource} = await import('@atomctl/sdk/packing')
  return (await readSource(directory)).document
}
