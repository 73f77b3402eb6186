// Reads untrusted JSON value by value, refusing whatever is not expected. A schema library would say the same in fewer
// lines, but loading it takes longer than verifying a signature. Every function throws SIGNATURE_MALFORMED and names
// the place.
import {malformed} from './malformed.ts'
import {decodeBase64} from './pem.ts'

/** Own fields of a JSON object, without a prototype; `undefined` for those that are absent. */
export type Fields<Name extends string> = Readonly<Record<Name, unknown>>

/** An object with no other fields than these, each of which may be absent. */
export function readFields<Name extends string>(value: unknown, where: string, names: readonly Name[]): Fields<Name> {
  const entries = Object.entries(readObject(value, where))
  const unknown = entries.find(([name]) => !(names as readonly string[]).includes(name))
  if (unknown) throw malformed(`${where}: unknown field ${JSON.stringify(unknown[0])}`)
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries)) as Fields<Name>
}

/** Any JSON object. */
export function readObject(value: unknown, where: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${where}: not an object`)
  return value
}

export function readList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${where}: not a list`)
  return value
}

/** Text that is not empty, nor holds half of a surrogate pair. */
export function readText(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) throw malformed(`${where}: not a text`)
  return value
}

export function readOneOf<Word extends string>(value: unknown, where: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) throw malformed(`${where}: not ${words.join(' or ')}`)
  return word
}

/** Bytes in standard base64, at least one. */
export function readBytes(value: unknown, where: string): Buffer {
  const bytes = decodeBase64(readText(value, where))
  if (!bytes) throw malformed(`${where}: not standard base64`)
  return bytes
}
