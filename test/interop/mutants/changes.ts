import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {bytesChanges} from './bytes.ts'
import {RawJson, type Replacement} from './json.ts'

/** What is put in the place of a value, and in a word what that is. */
export type Change = readonly [what: string, replacement: Replacement]

const OTHER_TYPES: readonly Change[] = [
  ['deleted', undefined],
  ['null', null],
  ['true', true],
  ['zero', 0],
  ['an empty text', ''],
  ['an empty list', []],
  ['an empty object', {}],
  ['a text', 'x'],
]

/** Everything that is tried in the place of a value. */
export function changesOf(value: Json): Change[] {
  return [...OTHER_TYPES, ['wrapped in a list', [value]], ['wrapped in an object', {value}], ...ownChanges(value)]
}

function ownChanges(value: Json): Change[] {
  if (typeof value === 'string') return textChanges(value)
  if (typeof value === 'number') return numberChanges(value)
  if (Array.isArray(value)) return listChanges(value)
  return typeof value === 'object' && value !== null ? objectChanges(value) : [['the other truth', !value]]
}

const MEDIA_TYPES = [
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.sigstore.bundle.v0.4+json',
  'application/vnd.dev.sigstore.bundle.v0.3.1+json',
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
  'application/json',
]

function textChanges(text: string): Change[] {
  const changes: Change[] = [
    ['with a space behind', `${text} `],
    ['with a space before', ` ${text}`],
    ['with a line break behind', `${text}\n`],
    ['with a NUL behind', `${text}\0`],
    ['in capitals', text.toUpperCase()],
    ['in small letters', text.toLowerCase()],
    ['without its last character', text.slice(0, -1)],
    ['twice', text + text],
    ['with half of a surrogate pair', new RawJson(`"\\ud800${JSON.stringify(text).slice(1)}`)],
  ]
  if (/^\d+$/.test(text)) changes.push(...countChanges(text))
  else if (text.startsWith('application/')) changes.push(...MEDIA_TYPES.map((type): Change => [type, type]))
  else if (/^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(text)) changes.push(...enumChanges())
  else if (/^\d{4}-\d\d-\d\dT/.test(text)) changes.push(...timeChanges())
  else if (text.includes('\n')) changes.push(...linesChanges(text))
  changes.push(...bytesChanges(text))
  return changes.filter(([, changed]) => changed !== text)
}

function countChanges(text: string): Change[] {
  const texts = ['0', '1', '-1', `${BigInt(text) + 1n}`, `0${text}`, `+${text}`, `${text}.0`, `${text}e0`, '0x1']
  const limits = ['9223372036854775807', '9223372036854775808', '18446744073709551616', `1${'0'.repeat(400)}`]
  const raw = [text, `${text}.0`, `${text}e0`, `-${text}`, `${text}.5`, '9223372036854775807', '1e400', '-0']
  return [
    ...[...texts, ...limits].map((other): Change => [`the text ${other.slice(0, 30)}`, other]),
    ...raw.map((other): Change => [`the number ${other}`, new RawJson(other)]),
  ]
}

function numberChanges(value: number): Change[] {
  return Number.isFinite(value) ? countChanges(`${BigInt(Math.trunc(Math.abs(value)))}`) : []
}

const ENUMS = ['SHA2_256', 'SHA2_384', 'SHA2_512', 'SHA3_256', 'HASH_ALGORITHM_UNSPECIFIED', 'sha2_256']
const KEY_DETAILS = [
  'PKIX_ECDSA_P256_SHA_256',
  'PKIX_ED25519',
  'PKIX_RSA_PKCS1V15_2048_SHA256',
  'PKIX_ECDSA_P384_SHA_384',
]

function enumChanges(): Change[] {
  const numbers = [1, 2, 5, 7, 11, 12, 99, -1]
  return [
    ...[...ENUMS, ...KEY_DETAILS].map((word): Change => [word, word]),
    ...numbers.map((number): Change => [`the number ${number}`, number]),
  ]
}

const TIMES = [
  '1970-01-01T00:00:00Z',
  '2000-01-01T00:00:00Z',
  '2099-01-01T00:00:00Z',
  '2000-01-01T00:00:00.123456789Z',
  '2000-01-01T00:00:00+00:00',
  '2000-01-01T00:00:00-23:59',
  '2000-01-01T00:00:00',
  '2000-01-01',
  '2000-02-30T00:00:00Z',
  '2000-01-01T24:00:00Z',
  '2000-01-01t00:00:00z',
  '2000-01-01 00:00:00Z',
  '+010000-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  'Sat, 01 Jan 2000 00:00:00 GMT',
  'now',
]

function timeChanges(): Change[] {
  return [...TIMES.map((time): Change => [time, time]), ['a number of seconds', 946684800]]
}

/** A checkpoint is text whose lines and blank lines mean something. */
function linesChanges(text: string): Change[] {
  const lines = text.split('\n')
  const dropped = lines.map((_, index): Change => [`without line ${index + 1}`, lines.toSpliced(index, 1).join('\n')])
  const doubled = lines.map((line, index): Change => {
    return [`with line ${index + 1} twice`, lines.toSpliced(index, 0, line).join('\n')]
  })
  return [
    ...dropped,
    ...doubled,
    ['with CRLF', text.replaceAll('\n', '\r\n')],
    ['with another origin', `x${text}`],
    ['with a tree of another size', lines.with(1, '999').join('\n')],
    ['with a size of another form', lines.with(1, `0${lines[1]}`).join('\n')],
    ['with a further line before the signatures', lines.toSpliced(3, 0, 'extension').join('\n')],
    ['with a hyphen for the dash', text.replaceAll('\u2014', '-')],
    ['with a signature of nobody', `${text}\u2014 nobody AAAAAAAA\n`],
    ['with text behind', `${text}more`],
    ['with a shorter name of who signed', text.replace(/\u2014 (\S)\S*/, '\u2014 $1')],
    ['with a longer name of who signed', text.replace(/\u2014 (\S*)/, '\u2014 $1x')],
    ['with the signature in url-safe base64', text.replaceAll('+', '-')],
    ['with a space before the line break', text.replace('\n', ' \n')],
  ]
}

function listChanges(list: readonly Json[]): Change[] {
  return [
    ['doubled', [...list, ...list]],
    ['reversed', list.toReversed()],
    ['without its first', list.slice(1)],
    ['without its last', list.slice(0, -1)],
    ['with null behind', [...list, null]],
    ['with an empty object behind', [...list, {}]],
    ['with an empty object before', [{}, ...list]],
    ['seventeen times', Array.from({length: 17}, () => list).flat()],
    ['as an object', Object.fromEntries(list.entries())],
  ]
}

function objectChanges(object: JsonObject): Change[] {
  const entries = Object.entries(object)
  return [
    ['with an unknown field', {...object, unknown: 1}],
    ['with an unknown field that is null', {...object, unknown: null}],
    ['with the fields in reverse', Object.fromEntries(entries.toReversed())],
    ['with snake_case names', renamed(object, toSnakeCase)],
    ['with capital names', renamed(object, (name) => name.toUpperCase())],
    ['with "__proto__"', rawObject(entries, ['__proto__', {}])],
    ['with "constructor"', {...object, constructor: 1}],
    ['with "toString" null', {...object, toString: null}],
    ['as a list of its values', Object.values(object)],
    ...entries.flatMap(([name, value]): Change[] => [
      [`with ${name} twice`, rawObject(entries, [name, value])],
      [`with ${name} again, null`, rawObject(entries, [name, null])],
      [`with ${name} before, empty`, rawObject([[name, {}], ...entries])],
      [
        `with ${name} again, its name escaped`,
        new RawJson(rawObject(entries, ['@', value]).text.replace('"@"', escapeName(name))),
      ],
      [`with ${name} again in snake_case`, {...object, [toSnakeCase(name)]: value}],
    ]),
  ]
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function renamed(object: JsonObject, rename: (name: string) => string): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), value]))
}

function rawObject(...members: readonly (readonly [string, Json] | readonly (readonly [string, Json])[])[]): RawJson {
  const flat = members.flatMap((member) => (typeof member[0] === 'string' ? [member] : member)) as [string, Json][]
  return new RawJson(`{${flat.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`)
}

function escapeName(name: string): string {
  const first = name.charCodeAt(0).toString(16).padStart(4, '0')
  return `"\\u${first}${name.slice(1)}"`
}
