import * as z from 'zod'
import {AtomError} from '../errors.ts'
import {parseStrictJson} from './json.ts'
import {decodeBase64} from './pem.ts'

/** Media type of a Sigstore bundle v0.3 (sigstore/protobuf-specs, sigstore_bundle.proto). */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** Larger than any bundle of a package; bounds the work a hostile one can cause. */
const MAX_BUNDLE_BYTES = 2 * 1024 * 1024

export type DigestAlgorithm = 'SHA2_256' | 'SHA2_384' | 'SHA2_512'

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
export interface DecodedBundle {
  readonly json: object
  /** How it names its key; undefined for a keyless bundle, which carries a certificate. */
  readonly keyHint: string | undefined
  /** Transparency log entries or timestamps, which a signature by key does not need. */
  readonly hasWitnesses: boolean
  readonly content: MessageContent | EnvelopeContent
}

const bytes = z
  .string()
  .min(1)
  .transform((text, context) => {
    const decoded = decodeBase64(text)
    if (decoded) return decoded
    context.addIssue('not standard base64')
    return z.NEVER
  })

const messageSignature = z.strictObject({
  messageDigest: z.strictObject({algorithm: z.enum(['SHA2_256', 'SHA2_384', 'SHA2_512']), digest: bytes}),
  signature: bytes,
})

// cosign refuses a keyid in a DSSE signature and more than one signature; so do we.
const dsseEnvelope = z.strictObject({
  payload: bytes,
  payloadType: z.string().min(1),
  signatures: z.tuple([z.strictObject({sig: bytes})]),
})

const verificationMaterial = z.strictObject({
  publicKey: z.strictObject({hint: z.string().min(1).max(128)}).optional(),
  certificate: z.unknown().optional(),
  x509CertificateChain: z.unknown().optional(),
  tlogEntries: z.array(z.unknown()).min(1).optional(),
  timestampVerificationData: z.unknown().optional(),
})

const bundle = z.strictObject({
  mediaType: z.enum([BUNDLE_MEDIA_TYPE, 'application/vnd.dev.sigstore.bundle+json;version=0.3']),
  verificationMaterial,
  messageSignature: messageSignature.optional(),
  dsseEnvelope: dsseEnvelope.optional(),
})

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
  const parsed = bundle.safeParse(json)
  if (!parsed.success) throw malformed(describeIssue(parsed.error))
  const {verificationMaterial: material, messageSignature: message, dsseEnvelope: envelope} = parsed.data
  const certified = material.certificate !== undefined || material.x509CertificateChain !== undefined
  if (certified === (material.publicKey !== undefined)) throw malformed('it must name one key or one certificate')
  return {
    json: json as object,
    keyHint: material.publicKey?.hint,
    hasWitnesses: material.tlogEntries !== undefined || material.timestampVerificationData !== undefined,
    content: contentOf(message, envelope),
  }
}

function contentOf(
  message: z.infer<typeof messageSignature> | undefined,
  envelope: z.infer<typeof dsseEnvelope> | undefined,
): MessageContent | EnvelopeContent {
  if (message && !envelope) return {kind: 'message', ...message.messageDigest, signature: message.signature}
  if (!envelope || message) throw malformed('it must hold one message signature or one DSSE envelope')
  const {payload, payloadType, signatures} = envelope
  return {kind: 'envelope', payload, payloadType, signature: signatures[0].sig}
}

/** A v0.3 bundle over a message digest, field for field as cosign writes it. */
export function messageBundle(keyHint: string, digest: Uint8Array, signature: Uint8Array): object {
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {publicKey: {hint: keyHint}},
    messageSignature: {
      messageDigest: {algorithm: 'SHA2_256', digest: toBase64(digest)},
      signature: toBase64(signature),
    },
  }
}

/** A v0.3 bundle around a DSSE envelope. No keyid and no empty lists: cosign refuses both. */
export function envelopeBundle(
  keyHint: string,
  {payload, payloadType, signature}: {payload: Uint8Array; payloadType: string; signature: Uint8Array},
): object {
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {publicKey: {hint: keyHint}},
    dsseEnvelope: {payload: toBase64(payload), payloadType, signatures: [{sig: toBase64(signature)}]},
  }
}

function toBase64(data: Uint8Array): string {
  return Buffer.from(data).toString('base64')
}

/** The first thing a schema found, with its place. */
export function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return issue ? `${issue.path.join('.') || 'its top level'}: ${issue.message}` : error.message
}

export function malformed(why: string, cause?: unknown): AtomError {
  return new AtomError('SIGNATURE_MALFORMED', `the signature bundle cannot be trusted: ${why}`, {
    hint: 'atomctl sign FILE   # signs it anew',
    cause,
  })
}
