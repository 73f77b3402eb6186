import type {Json} from '../canonical.ts'
import {AtomError} from '../errors.ts'
import {formatNumber, isPlainText, quoteText} from './scalars.ts'

/**
 * Block-style YAML that passes the gate and that YAML 1.1, YAML 1.2 and PyYAML read back as this same value. Throws
 * WPK_INVALID for numbers JSON cannot hold and for lone surrogates.
 */
export function stringifyYaml(value: Json): string {
  return `${writeNode(value, '').replace(/^[\n ]/, '')}\n`
}

/** The value as it follows `key:` or `-`: on the same line after a space, or on further lines under `indent`. */
function writeNode(value: Json, indent: string): string {
  if (Array.isArray(value)) return value.length === 0 ? ' []' : writeSequence(value, indent)
  if (typeof value === 'object' && value !== null) return writeMapping(Object.entries(value), indent)
  return ` ${writeScalar(value, indent)}`
}

function writeMapping(entries: [string, Json][], indent: string): string {
  if (entries.length === 0) return ' {}'
  return entries.map(([key, child]) => `\n${indent}${writeText(key)}:${writeNode(child, `${indent}  `)}`).join('')
}

/** A mapping starts on the line of its dash; anything else follows as after a key. */
function writeSequence(items: Json[], indent: string): string {
  return items.map((item) => `\n${indent}-${writeItem(item, `${indent}  `)}`).join('')
}

function writeItem(item: Json, indent: string): string {
  return writeNode(item, indent).replace(/^\n */, ' ')
}

function writeScalar(value: string | number | boolean | null, indent: string): string {
  if (typeof value === 'number') return writeNumber(value)
  if (typeof value !== 'string') return String(value)
  return canBeLiteral(value) ? writeLiteral(value, indent) : writeText(value)
}

function writeText(text: string): string {
  if (!text.isWellFormed()) throw notYaml('a string with half of a surrogate pair')
  return isPlainText(text) ? text : quoteText(text)
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw notYaml(`the number ${value}`)
  return formatNumber(value)
}

/** Several printable lines, none starting or ending in white space, and exactly one line break at the end. */
function canBeLiteral(text: string): boolean {
  return LITERAL.test(text)
}
const LITERAL = /^(?:[!-~](?:[ -~]*[!-~])?\n(?:\n(?!$))?)(?:[ ]*[!-~](?:[ -~]*[!-~])?\n(?:\n(?!$))?)+$/

function writeLiteral(text: string, indent: string): string {
  const lines = text.slice(0, -1).split('\n')
  return `|${lines.map((line) => (line === '' ? '\n' : `\n${indent || '  '}${line}`)).join('')}`
}

function notYaml(what: string): AtomError {
  return new AtomError('WPK_INVALID', `Cannot write ${what} as YAML`, {hint: 'use only values JSON can hold'})
}
