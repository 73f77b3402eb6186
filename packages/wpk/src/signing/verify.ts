import {createHash, createVerify, type KeyObject, verify} from 'node:crypto'
import type {Readable} from 'node:stream'
import {AtomError} from '../errors.ts'
import type {DigestAlgorithm, EnvelopeContent, MessageContent} from './bundle.ts'
import {encodeEnvelope} from './envelope.ts'
import {describeKey} from './public-key.ts'

interface KeyAlgorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  readonly digest: DigestAlgorithm
}

const SHA256: KeyAlgorithm = {hash: 'sha256', digest: 'SHA2_256'}

/** The digest each curve is used with (sigstore algorithm registry); a bundle must not choose a weaker one. */
const CURVES: ReadonlyMap<unknown, KeyAlgorithm> = new Map([
  ['prime256v1', SHA256],
  ['secp384r1', {hash: 'sha384', digest: 'SHA2_384'}],
  ['secp521r1', {hash: 'sha512', digest: 'SHA2_512'}],
])

/** How signatures of this key are made; undefined for a kind of key that is not supported. */
function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  const {namedCurve, modulusLength = 0} = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= 2048 ? SHA256 : undefined
  return key.asymmetricKeyType === 'ec' ? CURVES.get(namedCurve) : undefined
}

/** The key, when signatures of its kind can be checked. Throws KEY_INVALID rather than call a good signature wrong. */
export function checkVerifiable(key: KeyObject): KeyObject {
  if (algorithmOf(key)) return key
  throw new AtomError('KEY_INVALID', `signatures by a key of the kind ${describeKey(key)} cannot be checked`, {
    hint: 'a key that can be: ECDSA P-256, P-384 or P-521, or RSA from 2048 bits',
  })
}

/** Whether the key made the envelope's signature. Fails closed: any error below is a signature that does not hold. */
export function isEnvelopeSignedBy(envelope: EnvelopeContent, key: KeyObject): boolean {
  const algorithm = algorithmOf(key)
  if (!algorithm) return false
  const signed = encodeEnvelope(envelope.payloadType, envelope.payload)
  try {
    return verify(algorithm.hash, signed, key, envelope.signature)
  } catch {
    return false
  }
}

/** Whether the key signed these bytes and their digest is the one the bundle states. Reads the stream to its end. */
export async function isMessageSignedBy(
  message: MessageContent,
  key: KeyObject,
  source: () => Readable,
): Promise<boolean> {
  const algorithm = algorithmOf(key)
  if (!algorithm || algorithm.digest !== message.algorithm) return false
  const digest = createHash(algorithm.hash)
  const verifying = createVerify(algorithm.hash)
  for await (const chunk of source() as AsyncIterable<Uint8Array>) {
    digest.update(chunk)
    verifying.update(chunk)
  }
  if (!digest.digest().equals(message.digest)) return false
  try {
    return verifying.verify(key, message.signature)
  } catch {
    return false
  }
}

/** The same without a stated digest: the signature alone, over bytes that are read to their end. */
export async function isBareSignature(signature: Uint8Array, key: KeyObject, source: () => Readable): Promise<boolean> {
  const algorithm = algorithmOf(key)
  if (!algorithm) return false
  const verifying = createVerify(algorithm.hash)
  for await (const chunk of source() as AsyncIterable<Uint8Array>) verifying.update(chunk)
  try {
    return verifying.verify(key, signature)
  } catch {
    return false
  }
}
