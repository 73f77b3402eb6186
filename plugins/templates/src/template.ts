import {AtomError, isAtomError, optionsOf} from '@atomctl/sdk/errors'
import {readSource} from '@atomctl/sdk/packing'
import type {PackageFile} from '@atomctl/wpk/archive'
import type {WpkDocument} from '@atomctl/wpk/document'

/** Where a template came from. */
export type Origin = 'atomctl' | 'yours' | 'directory' | 'git' | 'registry'

/** A package to start from: an ordinary package that validates as it stands, so that any package can be one. */
export interface Template {
  readonly name: string
  readonly origin: Origin
  /** What the person named: a path, a URL, an id. */
  readonly source: string
  readonly document: WpkDocument
  /** Files beside the document. */
  readonly files: readonly PackageFile[]
  /** Its tests, as `*.wpktest.yaml`. */
  readonly test?: string
}

/** A template in use; disposing removes what was fetched for it. */
export interface OpenTemplate extends AsyncDisposable {
  readonly template: Template
}

/**
 * Reads the template that a document or a directory with one document is.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, WPK_INVALID, ARCHIVE_INVALID for links, devices, private keys and paths that
 * no reader accepts
 */
export async function readTemplate(
  path: string,
  named: {name?: string; origin: Origin; source: string},
): Promise<Template> {
  const {document, files} = await readSource(path).catch((error: unknown) => {
    throw notTemplate(named.source, error)
  })
  const {origin, source, name = document.name} = named
  return {name, origin, source, document, files}
}

function notTemplate(source: string, error: unknown): unknown {
  if (!isAtomError(error) || (error.code !== 'ARCHIVE_INVALID' && error.code !== 'WPK_INVALID')) return error
  return new AtomError(error.code, `${source} cannot be a template: ${error.message}`, optionsOf(error))
}
