import {canonicalize, type Json, type JsonObject} from '../canonical.ts'
import {parseBundle} from './bundle.ts'
import {malformed} from './malformed.ts'
import {decodeBase64} from './pem.ts'

const SCHEME = 'sigstore-bundle:'
const PREFIX = `${SCHEME}v0.3;base64,`

/** The text of `metadata.signature` for a bundle. */
export function encodeSignature(bundle: object): string {
  return PREFIX + Buffer.from(JSON.stringify(bundle)).toString('base64')
}

/**
 * The bundle inside a document's `metadata.signature`, read but not verified; undefined when there is none (absent,
 * empty, or a placeholder of another tool). Throws SIGNATURE_MALFORMED for a signature that cannot be read.
 */
export function bundleOf(value: JsonObject): {bundle: object} | undefined {
  const signature = signatureOf(value)
  if (signature === undefined || signature === null || signature === '') return undefined
  if (typeof signature !== 'string')
    throw malformed(`metadata.signature is not a string but ${JSON.stringify(signature).slice(0, 40)}`)
  if (!signature.startsWith(SCHEME)) return undefined
  if (!signature.startsWith(PREFIX)) throw malformed(`metadata.signature does not start with ${PREFIX}`)
  const bytes = decodeBase64(signature.slice(PREFIX.length))
  if (!bytes) throw malformed('metadata.signature is not standard base64')
  const bundle = parseBundle(bytes)
  if (typeof bundle !== 'object' || bundle === null) throw malformed('it is not a JSON object')
  return {bundle}
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
