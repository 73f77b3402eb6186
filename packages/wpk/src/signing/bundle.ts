import {parseStrictJson} from './json.ts'
import {malformed} from './malformed.ts'
import {type Material, readMaterial} from './material.ts'
import type {SignedContent, Witnessed} from './signer.ts'
import {readBytes, readFields, readList, readOneOf, readText} from './shape.ts'

/** Media type of a Sigstore bundle v0.3 (sigstore/protobuf-specs, sigstore_bundle.proto). */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** Larger than any bundle of a package; bounds the work a hostile one can cause. */
const MAX_BUNDLE_BYTES = 2 * 1024 * 1024

export type DigestAlgorithm = (typeof ALGORITHMS)[number]

export interface MessageContent {
  readonly kind: 'message'
  readonly algorithm: DigestAlgorithm
  readonly digest: Buffer
  readonly signature: Buffer
}

export interface EnvelopeContent {
  readonly kind: 'envelope'
  readonly payloadType: string
  readonly payload: Buffer
  readonly signature: Buffer
}

/** A bundle whose every field was checked. Nothing in it is verified yet. */
export interface DecodedBundle extends Material {
  readonly json: object
  readonly content: MessageContent | EnvelopeContent
}

/** The versions before 0.3, which only detached bundles may have. */
const EARLIER_MEDIA_TYPES = [
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
] as const
const MEDIA_TYPES = [BUNDLE_MEDIA_TYPE, 'application/vnd.dev.sigstore.bundle+json;version=0.3'] as const
const ALGORITHMS = ['SHA2_256', 'SHA2_384', 'SHA2_512'] as const

/** The bundle's JSON from its bytes (UTF-8). Throws SIGNATURE_MALFORMED. */
export function parseBundle(encoded: Uint8Array): unknown {
  if (encoded.length > MAX_BUNDLE_BYTES) throw malformed(`it is larger than ${MAX_BUNDLE_BYTES} bytes`)
  try {
    return parseStrictJson(encoded)
  } catch (cause) {
    throw malformed('it is not JSON with unique keys', cause)
  }
}

/**
 * Reads a bundle as strictly as cosign: unknown fields, foreign base64, empty lists and missing parts are refused.
 * Throws SIGNATURE_MALFORMED for whatever is wrong with it.
 */
export function decodeBundle(json: unknown): DecodedBundle {
  return decode(json, MEDIA_TYPES, ['sig'])
}

/**
 * A bundle that any client may have made: also of version 0.1 or 0.2, and with an empty `keyid`, which sigstore-js
 * writes. Throws SIGNATURE_MALFORMED.
 */
export function decodeDetachedBundle(json: unknown): DecodedBundle {
  return decode(json, [...MEDIA_TYPES, ...EARLIER_MEDIA_TYPES], ['sig', 'keyid'])
}

function decode(
  json: unknown,
  mediaTypes: readonly string[],
  signatureFields: readonly ('sig' | 'keyid')[],
): DecodedBundle {
  const names = ['mediaType', 'verificationMaterial', 'messageSignature', 'dsseEnvelope'] as const
  const bundle = readFields(json, 'bundle', names)
  readOneOf(bundle.mediaType, 'mediaType', mediaTypes)
  const {messageSignature: message, dsseEnvelope: envelope} = bundle
  if ((message === undefined) === (envelope === undefined)) {
    throw malformed('it must hold one message signature or one DSSE envelope')
  }
  return {
    json: json as object,
    ...readMaterial(bundle.verificationMaterial),
    content: message === undefined ? readEnvelope(envelope, signatureFields) : readMessage(message),
  }
}

function readMessage(value: unknown): MessageContent {
  const {messageDigest, signature} = readFields(value, 'messageSignature', ['messageDigest', 'signature'])
  const {algorithm, digest} = readFields(messageDigest, 'messageDigest', ['algorithm', 'digest'])
  return {
    kind: 'message',
    algorithm: readOneOf(algorithm, 'messageDigest.algorithm', ALGORITHMS),
    digest: readBytes(digest, 'messageDigest.digest'),
    signature: readBytes(signature, 'messageSignature.signature'),
  }
}

/** cosign refuses a DSSE signature that names a key, and more than one signature; so do we. */
function readEnvelope(value: unknown, signatureFields: readonly ('sig' | 'keyid')[]): EnvelopeContent {
  const envelope = readFields(value, 'dsseEnvelope', ['payload', 'payloadType', 'signatures'])
  const signatures = readList(envelope.signatures, 'dsseEnvelope.signatures')
  if (signatures.length !== 1) throw malformed(`dsseEnvelope.signatures: ${signatures.length} of them, not one`)
  const signature = readFields(signatures[0], 'dsseEnvelope.signatures[0]', signatureFields)
  const {sig, keyid} = signature as Partial<typeof signature>
  if (keyid !== undefined && keyid !== '') throw malformed('dsseEnvelope.signatures[0].keyid: must be left out')
  return {
    kind: 'envelope',
    payloadType: readText(envelope.payloadType, 'dsseEnvelope.payloadType'),
    payload: readBytes(envelope.payload, 'dsseEnvelope.payload'),
    signature: readBytes(sig, 'dsseEnvelope.signatures[0].sig'),
  }
}

/**
 * A v0.3 bundle around what was signed, field for field as cosign writes it. `material` is a key's hint or what
 * witnesses gave. No keyid and no empty lists: cosign refuses both.
 */
export function writeBundle(content: SignedContent, material: string | Witnessed): object {
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: typeof material === 'string' ? {publicKey: {hint: material}} : writeWitnessed(material),
    ...writeContent(content),
  }
}

function writeWitnessed({certificate, tlogEntries, timestamps}: Witnessed): object {
  const rfc3161Timestamps = timestamps.map((timestamp) => ({signedTimestamp: toBase64(timestamp)}))
  return {
    certificate: {rawBytes: toBase64(certificate)},
    ...(tlogEntries.length > 0 && {tlogEntries}),
    ...(timestamps.length > 0 && {timestampVerificationData: {rfc3161Timestamps}}),
  }
}

function writeContent(content: SignedContent): object {
  const signature = toBase64(content.signature)
  if (content.kind === 'message') {
    const messageDigest = {algorithm: 'SHA2_256', digest: toBase64(content.digest)}
    return {messageSignature: {messageDigest, signature}}
  }
  const {payloadType} = content
  return {dsseEnvelope: {payload: toBase64(content.payload), payloadType, signatures: [{sig: signature}]}}
}

function toBase64(data: Uint8Array): string {
  return Buffer.from(data).toString('base64')
}
