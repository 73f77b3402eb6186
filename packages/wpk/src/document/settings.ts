import {isMap, isScalar, parseDocument, Scalar, visit} from 'yaml'
import type {Document, Node, ToStringOptions} from 'yaml'

import type {Json} from '../canonical.ts'
import {AtomError} from '../errors.ts'
import {formatPath} from './path.ts'
import {isPlainText} from './scalars.ts'

/** As the author wrote it, as far as the library can: no folding, no reflow of flow collections. */
const LAYOUT: ToStringOptions = {lineWidth: 0, flowCollectionPadding: false, minContentWidth: 0}

/**
 * Writes any value into a settings file and keeps its comments; missing parents are made. What is new passes the gate.
 * Throws WPK_INVALID when the text is not YAML or a parent is no mapping.
 */
export function setYamlValue(text: string, path: readonly string[], value: Json): string {
  const document = open(text, path)
  assertMappings(document, path)
  const node = quoteAmbiguous(document.createNode(value))
  keepComments(document.getIn(path, true), node)
  document.setIn(path, node)
  quoteKeys(document)
  return document.toString(LAYOUT)
}

/** Removes one key, its comments included; a text without that key comes back as it was. */
export function deleteYamlValue(text: string, path: readonly string[]): string {
  const document = open(text, path)
  if (!document.hasIn(path)) return text
  document.deleteIn(path)
  return document.toString(LAYOUT)
}

function open(text: string, path: readonly string[]): Document.Parsed {
  const document = parseDocument(text, {logLevel: 'silent'})
  const [error] = document.errors
  if (error) throw notWritable(path, error.message.split('\n')[0]!)
  if (path.length === 0) throw notWritable(path, 'the path is empty')
  if (isScalar(document.contents) && document.contents.value === null) (document as Document).contents = null
  return document
}

function assertMappings(document: Document.Parsed, path: readonly string[]): void {
  for (let depth = 0; depth < path.length; depth++) {
    const node = document.getIn(path.slice(0, depth), true)
    if (node === undefined || node === null) return
    if (!isMap(node)) throw notWritable(path, `${formatPath(path.slice(0, depth)) || 'the document'} is not a mapping`)
  }
}

function keepComments(old: unknown, node: Node): void {
  if (!isScalar(old) || !isScalar(node)) return
  if (old.comment != null) node.comment = old.comment
  if (old.commentBefore != null) node.commentBefore = old.commentBefore
}

function quoteAmbiguous(node: Node): Node {
  visit(node, {Scalar: (_, scalar) => quoteScalar(scalar)})
  return node
}

function quoteKeys(document: Document.Parsed): void {
  visit(document, {Pair: (_, pair) => void (pair.key = quoteKey(pair.key))})
}

/** Keys made from a path are bare strings, not nodes, until they are written. */
function quoteKey(key: unknown): unknown {
  if (typeof key !== 'string' || isPlainText(key)) return key
  const scalar = new Scalar(key)
  scalar.type = Scalar.QUOTE_DOUBLE
  return scalar
}

function quoteScalar(scalar: Scalar): void {
  if (typeof scalar.value === 'string' && !isPlainText(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE
}

function notWritable(path: readonly string[], why: string): AtomError {
  return new AtomError('WPK_INVALID', `Cannot write ${formatPath(path) || 'the settings'}: ${why}`, {
    hint: 'correct the file in an editor first',
  })
}
