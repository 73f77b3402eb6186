import {canonicalize, type Json, type JsonObject} from '../canonical.ts'
import {parseBundle} from './bundle.ts'
import {malformed} from './malformed.ts'
import {decodeBase64} from './pem.ts'

const SCHEME = 'sigstore-bundle:'
const PREFIX = `${SCHEME}v0.3;base64,`

/** How many people can sign one package; each costs a signature check or more. */
export const MAX_SIGNATURES = 8

/** The text of `metadata.signature`: one word for each bundle, one space in between. */
export function encodeSignatures(bundles: readonly object[]): string {
  return bundles.map((bundle) => PREFIX + Buffer.from(JSON.stringify(bundle)).toString('base64')).join(' ')
}

/**
 * The bundles inside a document's `metadata.signature`, read but not verified; none when it is unsigned (absent,
 * empty, or a placeholder of another tool). Throws SIGNATURE_MALFORMED when any of it cannot be read: what stands
 * among signatures and is none is a reason to distrust them all.
 */
export function bundlesOf(value: JsonObject): readonly object[] {
  const signature = signatureOf(value)
  if (signature === undefined || signature === null || signature === '') return []
  if (typeof signature !== 'string')
    throw malformed(`metadata.signature is not a string but ${JSON.stringify(signature).slice(0, 40)}`)
  // Bounded before it is split: the text may be a megabyte of spaces.
  const words = signature.split(' ', MAX_SIGNATURES + 1)
  if (!words.some((word) => word.startsWith(SCHEME))) return []
  if (words.length > MAX_SIGNATURES) throw malformed(`metadata.signature holds more than ${MAX_SIGNATURES} signatures`)
  return words.map(readWord)
}

function readWord(word: string): object {
  if (!word.startsWith(PREFIX))
    throw malformed(`metadata.signature is not ${PREFIX}…, one space before each further one`)
  const bytes = decodeBase64(word.slice(PREFIX.length))
  if (!bytes) throw malformed('metadata.signature is not standard base64')
  const bundle = parseBundle(bytes)
  if (typeof bundle !== 'object' || bundle === null) throw malformed('it is not a JSON object')
  return bundle
}

/** The bytes a signature of this document covers: its canonical JSON without the signature. */
export function payloadOf(value: JsonObject): Uint8Array {
  return canonicalize(value)
}

function signatureOf(value: JsonObject): Json | undefined {
  const metadata = value['metadata']
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined
  return Object.hasOwn(metadata, 'signature') ? metadata['signature'] : undefined
}
