import {isMap, isScalar, isSeq, parseDocument} from 'yaml'
import type {CST, Pair, ParsedNode, Scalar, YAMLMap} from 'yaml'

import type {Json} from '../canonical.ts'
import {AtomError} from '../errors.ts'
import {formatPath} from './path.ts'
import {isPlainText, quoteText} from './scalars.ts'

type Map = YAMLMap.Parsed
type Entry = Pair<ParsedNode, ParsedNode | null>

interface Splice {
  start: number
  end: number
  text: string
}

/**
 * Writes ONE string scalar, double-quoted, and leaves every other byte as it is: comments, order, line ends, spaces.
 * A missing key becomes the last line of its mapping; its parent must exist. Throws WPK_INVALID when the text is not
 * YAML, when the parent is no mapping, or when the place holds a collection.
 */
export function setScalar(text: string, path: readonly string[], value: string): string {
  return writeEntry(text, path, flowText(value, path), false)
}

/**
 * The same for any JSON value, written on one line; it replaces a scalar or a collection that is on one line, too.
 * Throws WPK_INVALID as setScalar does.
 */
export function setValue(text: string, path: readonly string[], value: Json): string {
  return writeEntry(text, path, flowText(value, path), true)
}

function flowText(value: Json, path: readonly string[]): string {
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item, path)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${flowText(key, path)}: ${flowText(member, path)}`)
    return `{${members.join(', ')}}`
  }
  if (typeof value !== 'string') return JSON.stringify(value)
  if (!value.isWellFormed()) throw notEditable(path, 'the value holds half of a surrogate pair')
  return quoteText(value)
}

function writeEntry(text: string, path: readonly string[], written: string, overFlow: boolean): string {
  const parent = findMapping(text, path.slice(0, -1))
  const key = path.at(-1)
  if (key === undefined) throw notEditable(path, 'the path is empty')
  const entry = findEntry(parent, key)
  const splice = entry ? replaceValue(text, entry, written, path, overFlow) : insertEntry(text, parent, key, written)
  return text.slice(0, splice.start) + splice.text + text.slice(splice.end)
}

function findMapping(text: string, path: readonly string[]): Map {
  const document = parseDocument(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    keepSourceTokens: true,
    logLevel: 'silent',
  })
  const [error] = document.errors
  if (error) throw notEditable(path, error.message.split('\n')[0]!)
  let node: unknown = document.contents
  for (const segment of path) node = childOf(node, segment)
  if (!isMap(node)) throw notEditable(path, `${formatPath(path) || 'the document'} is not a mapping`)
  return node as Map
}

function childOf(node: unknown, segment: string): unknown {
  if (isSeq(node)) return node.items[Number(segment)]
  return isMap(node) ? findEntry(node as Map, segment)?.value : undefined
}

function findEntry(map: Map, key: string): Entry | undefined {
  return map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
}

function replaceValue(text: string, entry: Entry, quoted: string, path: readonly string[], overFlow: boolean): Splice {
  const node = entry.value
  if (node && !isScalar(node)) {
    const {flow, range} = node as {flow?: boolean; range: [number, number, number]}
    if (overFlow && flow) return {start: range[0], end: range[1], text: quoted}
    throw notEditable(path, `${formatPath(path)} is not a single value`)
  }
  if (!node || isEmpty(node)) return fillEmpty(entry, quoted)
  const [start, end] = node.range
  if (!isBlock(node)) return {start, end, text: quoted}
  return {start, end, text: quoted + trailingBreak(text.slice(start, end))}
}

function isEmpty(node: Scalar.Parsed): boolean {
  return node.type === 'PLAIN' && node.source === ''
}

function isBlock(node: Scalar.Parsed): boolean {
  return node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
}

/** A block scalar's text includes the line break after it, which the lines below still need. */
function trailingBreak(block: string): string {
  return /\r?\n$/.exec(block)?.[0] ?? ''
}

/** `key:` → `key: "value"`, before any comment. */
function fillEmpty(entry: Entry, quoted: string): Splice {
  const {sep = []} = (entry as {srcToken?: {sep?: CST.SourceToken[]}}).srcToken ?? {}
  const colon = sep.find(({type}) => type === 'map-value-ind')
  if (colon) return {start: colon.offset + 1, end: colon.offset + 1, text: ` ${quoted}`}
  const end = entry.key.range[1]
  return {start: end, end, text: `: ${quoted}`}
}

function insertEntry(text: string, map: Map, key: string, written: string): Splice {
  const quoted = isJson(map) || !isPlainText(key)
  const entry = `${quoted ? quoteText(key) : key}: ${written}`
  return map.flow ? insertFlow(text, map, entry) : insertLine(text, map, entry)
}

/** Where the neighbours are quoted the new key is too, so that JSON stays JSON. */
function isJson(map: Map): boolean {
  const first = map.items[0]?.key
  return map.flow === true && isScalar(first) && first.type === 'QUOTE_DOUBLE'
}

function insertFlow(text: string, map: Map, entry: string): Splice {
  const last = map.items.at(-1)
  if (!last) {
    const start = map.range[0] + 1
    return {start, end: start, text: entry}
  }
  const end = endOf(last)
  const comma = /^\s*,/.exec(text.slice(end, map.range[1]))
  if (!comma) return {start: end, end, text: `, ${entry}`}
  const after = end + comma[0].length
  return {start: after, end: after, text: ` ${entry}`}
}

/** A line of its own under the last entry, indented as the first key is. */
function insertLine(text: string, map: Map, entry: string): Splice {
  const first = map.items[0] as Entry
  const indent = ' '.repeat(columnOf(text, first.key.range[0]))
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  const end = endOf(map.items.at(-1) as Entry)
  if (end > 0 && text[end - 1] === '\n') return {start: end, end, text: `${indent}${entry}${lineBreak}`}
  const next = text.indexOf('\n', end)
  if (next === -1) return {start: text.length, end: text.length, text: `${lineBreak}${indent}${entry}`}
  return {start: next + 1, end: next + 1, text: `${indent}${entry}${lineBreak}`}
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}

/** Where the last written character of an entry ends; collections end with their last entry. */
function endOf(entry: Entry): number {
  const node = entry.value
  if (node && isMap(node) && !node.flow && node.items.length > 0) return endOf(node.items.at(-1) as Entry)
  if (node && isSeq(node) && !node.flow && node.items.length > 0) return endOfItem(node.items.at(-1))
  if (!node || (isScalar(node) && isEmpty(node))) return fillEmpty(entry, '').start
  return node.range[1]
}

function endOfItem(item: unknown): number {
  if (isMap(item) && !item.flow && item.items.length > 0) return endOf(item.items.at(-1) as Entry)
  if (isSeq(item) && !item.flow && item.items.length > 0) return endOfItem(item.items.at(-1))
  return (item as ParsedNode).range[1]
}

function notEditable(path: readonly string[], why: string): AtomError {
  return new AtomError('WPK_INVALID', `Cannot write ${formatPath(path) || 'the document'}: ${why}`, {
    hint: 'check the document with atomctl validate',
  })
}
