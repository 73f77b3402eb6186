import {DEFAULT_LIMITS} from '../archive/limits.ts'
import {canonicalize} from '../canonical.ts'
import {loadDocument, setScalar, type WpkDocument} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import {encodeSignatures} from './embedded.ts'
import type {StatementOptions} from './statement.ts'

/**
 * The document with these bundles as its `metadata.signature`, and nothing else changed.
 * Throws ARCHIVE_TOO_LARGE, and WPK_INVALID for a text in which no such line can be written.
 */
export function embed(
  document: WpkDocument,
  bundles: readonly object[],
  options: StatementOptions,
): {text: string; document: WpkDocument} {
  const text = setScalar(document.text, ['metadata', 'signature'], encodeSignatures(bundles))
  checkSize(text, document, options)
  const signed = loadDocument(Buffer.from(text), document.source)
  checkUnchanged(document, signed)
  return {text, document: signed}
}

/** Every file adds some 400 characters to the signature, and a document has an upper bound. */
function checkSize(text: string, document: WpkDocument, {files = []}: StatementOptions): void {
  const size = Buffer.byteLength(text)
  if (size <= DEFAULT_LIMITS.documentBytes) return
  const message = `${document.source} would have ${size} bytes with its signature over ${files.length} files`
  throw new AtomError('ARCHIVE_TOO_LARGE', message, {
    hint: 'put the files into one archive file, or leave some out',
    details: {size, limit: DEFAULT_LIMITS.documentBytes},
  })
}

/** Guards the promise of this room: embedding the signature changes nothing of what was signed. */
function checkUnchanged(before: WpkDocument, after: WpkDocument): void {
  if (Buffer.compare(canonicalize(before.value), canonicalize(after.value)) === 0) return
  throw new AtomError('WPK_INVALID', `${before.source}: the signature could not be embedded without other changes`, {
    hint: `atomctl validate --fix ${before.source}`,
  })
}
