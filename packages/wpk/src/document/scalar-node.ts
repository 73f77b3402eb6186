import type {Scalar} from 'yaml'

import type {Json} from '../canonical.ts'
import type {Ledger} from './ledger.ts'
import {readPlain} from './scalars.ts'

type Node = Scalar.Parsed

/** Reads one scalar of the tree and reports whatever some reader takes differently. */
export function readScalar(node: Node, path: string, text: string, ledger: Ledger): Json {
  if (typeof node.value === 'string' && !node.value.isWellFormed()) {
    ledger.report('yaml_character', 'The string holds half of a surrogate pair', {offset: node.range[0], path})
  }
  checkSurrogates(node, path, text, ledger)
  checkTabs(node, path, text, ledger)
  checkBlockEnd(node, path, text, ledger)
  checkQuotes(node, path, text, ledger)
  return node.type === 'PLAIN' ? readPlainNode(node, path, text, ledger) : String(node.value)
}

function readPlainNode(node: Node, path: string, text: string, ledger: Ledger): Json {
  const scalar = readPlain(node.source)
  const [start, end] = node.range
  if (node.source === '') {
    const rewrite = {start, end: start, text: spaced('null', text, start)}
    ledger.report('yaml_empty', 'The value is empty: write null, or "" to mean empty text', {
      offset: start,
      path,
      rewrite,
    })
  } else if (scalar.problem !== undefined) {
    ledger.report('yaml_ambiguous', scalar.problem, {offset: start, path, rewrite: {start, end, text: scalar.rewrite}})
  }
  return scalar.value
}

/** The word with a space on each side where another character touches it. */
function spaced(word: string, text: string, offset: number): string {
  const [before = ' ', after = ' '] = [text[offset - 1], text[offset]]
  return `${/\s/.test(before) ? '' : ' '}${word}${/[\s,\]}]/.test(after) ? '' : ' '}`
}

/** Line folding strips tabs in some readers only; inside one line they are content to all. */
export function checkTabs(node: Node, path: string, text: string, ledger: Ledger): void {
  const [start, end] = node.range
  const written = text.slice(start, end)
  if (!written.includes('\t')) return
  const harmful = isBlockScalar(node) ? /^ *\t/m.test(written) : node.type === 'PLAIN' || written.includes('\n')
  if (!harmful) return
  ledger.report('yaml_tab', 'A tab in this scalar reads differently: quote it and write \\t', {offset: start, path})
}

/** Where the file ends inside a block scalar, PyYAML reads no line break and the others read one. */
function checkBlockEnd(node: Node, path: string, text: string, ledger: Ledger): void {
  const [start, end] = node.range
  if (!isBlockScalar(node) || end < text.length || text.endsWith('\n')) return
  if (/^.[1-9]?-/.test(text.slice(start, start + 3))) return
  const rewrite = {start: text.length, end: text.length, text: '\n'}
  ledger.report('yaml_block_end', 'The last line needs a line break after it', {offset: start, path, rewrite})
}

/** JSON's escape of a character beyond U+FFFF is one character for JavaScript, and two broken ones for PyYAML. */
export function checkSurrogates(node: Node, path: string, text: string, ledger: Ledger): void {
  const [start, end] = node.range
  const written = text.slice(start, end)
  if (node.type !== 'QUOTE_DOUBLE' || !String(node.value).isWellFormed() || !ESCAPED_HALF.test(written)) return
  const fixed = written.replace(ESCAPED_PAIR, (_pair, before: string, high: string, low: string) => {
    return before + String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16))
  })
  const fixable = !ESCAPED_HALF.test(fixed)
  const message = 'An escaped surrogate pair reads differently: write the character itself'
  ledger.report('yaml_character', message, {
    offset: start,
    path,
    ...(fixable && {rewrite: {start, end, text: fixed}}),
  })
}

// behind an even number of backslashes; a run of them is looked at once
const ESCAPED_HALF = /(?<!\\)(?:\\\\)*\\(?:u|U0000)[dD][89a-fA-F]/
const ESCAPED_PAIR = /(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/g

/** The library takes the last quote for the closing one even where it is escaped. */
export function checkQuotes(node: Node, path: string, text: string, ledger: Ledger): void {
  if (node.type !== 'QUOTE_SINGLE' && node.type !== 'QUOTE_DOUBLE') return
  if (isClosed(text.slice(node.range[0], node.range[1]))) return
  ledger.report('yaml_syntax', 'The closing quote is missing', {offset: node.range[0], path})
}

/** The quote at the end closes unless it is itself escaped: by another one, or by a backslash. */
function isClosed(written: string): boolean {
  if (written.startsWith("'")) return trailing(written.slice(1), "'") % 2 === 1
  return trailing(written.slice(1, -1), '\\') % 2 === 0
}

/** How many of one character stand at the end of a text. A pattern that is not anchored would be quadratic. */
function trailing(text: string, character: string): number {
  let start = text.length
  while (start > 0 && text[start - 1] === character) start--
  return text.length - start
}

function isBlockScalar(node: Node): boolean {
  return node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
}
