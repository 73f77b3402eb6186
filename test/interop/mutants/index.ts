import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {changesOf} from './changes.ts'
import {type Path, placesOf, textOfPath, textWith, valueAt} from './json.ts'
import {textsAround} from './texts.ts'

export interface Mutant {
  /** What was changed, and where. */
  readonly what: string
  readonly bytes: Buffer
}

/** What else a bundle may hold, in the place of what it has or beside it. */
const STRANGERS: readonly [Path, Json][] = [
  [['verificationMaterial', 'publicKey'], {hint: 'x'}],
  [['verificationMaterial', 'publicKey'], {}],
  [['verificationMaterial', 'certificate'], {rawBytes: 'MAA='}],
  [['verificationMaterial', 'x509CertificateChain'], {certificates: []}],
  [['verificationMaterial', 'tlogEntries'], []],
  [['verificationMaterial', 'timestampVerificationData'], {}],
  [['verificationMaterial', 'timestampVerificationData'], {rfc3161Timestamps: []}],
  [['messageSignature'], {}],
  [['dsseEnvelope'], {}],
]

/**
 * Every mutant of a JSON document: at each place each change, at each place what other documents have there, and the
 * texts around it. Always the same, in the same order.
 */
export function* mutantsOf(original: JsonObject, others: readonly JsonObject[] = []): Generator<Mutant> {
  const seen = new Set<string>()
  for (const [what, bytes] of textsAround(JSON.stringify(original))) yield {what: `the whole ${what}`, bytes}
  for (const [what, text] of changed(original, others)) {
    if (seen.has(text)) continue
    seen.add(text)
    yield {what, bytes: Buffer.from(text)}
  }
}

function* changed(original: JsonObject, others: readonly JsonObject[]): Generator<[string, string]> {
  for (const {path, value} of placesOf(original)) {
    for (const [what, replacement] of changesOf(value))
      yield [`${textOfPath(path)}: ${what}`, textWith(original, path, replacement)]
    for (const [index, other] of others.entries()) {
      const foreign = valueAt(other, path)
      if (foreign !== undefined && path.length > 0)
        yield [`${textOfPath(path)}: that of bundle ${index + 1}`, textWith(original, path, foreign)]
      if (Array.isArray(value) && Array.isArray(foreign))
        yield [
          `${textOfPath(path)}: with those of bundle ${index + 1}`,
          textWith(original, path, [...value, ...foreign]),
        ]
    }
  }
  if (!('verificationMaterial' in original)) return
  for (const [path, value] of STRANGERS) yield* beside(original, path, value)
  for (const [index, other] of others.entries()) {
    for (const {path, value} of placesOf(other)) {
      if (path.length === 1 || path.length === 2) yield* beside(original, path, value, `from bundle ${index + 1}`)
    }
  }
}

/** A field that the original does not have. */
function* beside(
  original: JsonObject,
  path: Path,
  value: Json,
  from = JSON.stringify(value),
): Generator<[string, string]> {
  const parentPath = path.slice(0, -1)
  const parent = valueAt(original, parentPath)
  const name = path.at(-1)
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent) || typeof name !== 'string') return
  if (Object.hasOwn(parent, name)) return
  yield [`${textOfPath(path)}: added, ${from}`, textWith(original, parentPath, {...parent, [name]: value})]
}
