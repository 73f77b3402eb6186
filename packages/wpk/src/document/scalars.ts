import type {Json} from '../canonical.ts'

const INTEGER = /^(?:0|-?[1-9][0-9]*)$/
const DECIMAL = /^-?(?:0|[1-9][0-9]*)\.[0-9]+$/

/** Two dots: no resolver reads `1.0.0` as a number. */
const VERSION = /^v?[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** Whatever some YAML 1.1 or 1.2 resolver may read as anything but a string. */
const SUSPECT =
  /^(?:[-+]?[0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+|[-+]?[0-9.][0-9_.,:eExXoObB+\-a-fA-F]*|[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)|~|null|Null|NULL|y|Y|n|N|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|=|<<|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*)$/

/** Keys that reach into prototypes once a value is merged somewhere. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** How a plain scalar reads; `problem` when readers disagree, with the form to write instead. */
export type PlainScalar = {value: Json; problem?: undefined} | {value: Json; problem: string; rewrite: string}

/** Reads an unquoted scalar the one way all of YAML 1.1, YAML 1.2, js-yaml and PyYAML read it, or says why there is none. */
export function readPlain(source: string): PlainScalar {
  const first = source.charCodeAt(0)
  // Inside [] and {} PyYAML takes a leading : or ? for an indicator.
  if (first === 0x3a || first === 0x3f) return describeProblem(source)
  // Most scalars are words: six letters or more are suspect only when an exponent or an underscore leads.
  if (source.length > 5 && first > 0x39 && !EXPONENT_LEAD.has(source[0]!)) return {value: source}
  if (source === 'true') return {value: true}
  if (source === 'false') return {value: false}
  if (source === 'null') return {value: null}
  if (source !== '' && (!SUSPECT.test(source) || VERSION.test(source))) return {value: source}
  return readNumber(source) ?? describeProblem(source)
}

const EXPONENT_LEAD = new Set(['e', 'E', '_', '~'])

function readNumber(source: string): PlainScalar | undefined {
  const value = Number(source)
  if (INTEGER.test(source) && Number.isSafeInteger(value)) return {value}
  if (DECIMAL.test(source) && isPortableDecimal(source, value)) return {value}
  return undefined
}

/** The longest form of a double without exponent. */
const LONGEST_DECIMAL = 400

/** At most 15 significant digits survive any double; longer ones are portable in their shortest round-trip form. */
function isPortableDecimal(source: string, value: number): boolean {
  if (source.length > LONGEST_DECIMAL || !Number.isFinite(value) || Object.is(value, -0)) return false
  const significant = source
    .replace(/^-?[0.]*/, '')
    .replace('.', '')
    .replace(/0+$/, '')
  return significant.length <= 15 || formatNumber(value) === source
}

/** Not the form we ask for, but every reader agrees on the meaning, so the fix keeps it. */
const SAME_EVERYWHERE = new Map<string, Json>([
  ['', null],
  ['~', null],
  ['Null', null],
  ['NULL', null],
  ['True', true],
  ['TRUE', true],
  ['False', false],
  ['FALSE', false],
])

function describeProblem(source: string): PlainScalar {
  const value = SAME_EVERYWHERE.get(source)
  if (value !== undefined) {
    return {
      value,
      problem: `write ${JSON.stringify(value)} instead of ${source}, or quote it to mean text`,
      rewrite: String(value),
    }
  }
  const rewrite = quoteText(source)
  return {value: source, problem: `YAML readers disagree on ${shorten(source)}: write ${quoteShort(source)}`, rewrite}
}

/** True when the text, written without quotes, reads back as this same string everywhere. */
export function isPlainText(text: string): boolean {
  return PLAIN_TEXT.test(text) && typeof readPlain(text).value === 'string' && readPlain(text).problem === undefined
}
const PLAIN_TEXT = /^[A-Za-z0-9_/][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+(][A-Za-z0-9_./+(),-]*)*$/

/** The quoted form as a message shows it. */
export function quoteShort(text: string): string {
  return quoteText(shorten(text))
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** The double-quoted form: one line, JSON escapes, and nothing in it that the gate refuses. */
export function quoteText(text: string): string {
  return JSON.stringify(text).replace(/[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g, escapeCharacter)
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Positional decimal of a finite number: never an exponent, and `.0` on integers beyond the safe range. */
export function formatNumber(value: number): string {
  const shortest = String(value)
  const [mantissa, exponent] = shortest.split('e') as [string, string | undefined]
  const positional = exponent === undefined ? shortest : shiftPoint(mantissa, Number(exponent))
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? `${positional}.0` : positional
}

function shiftPoint(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.') as [string, string | undefined]
  const digits = whole + fraction
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return `${sign}${digits.padEnd(exponent + 1, '0')}`
}
