import {createHash, createPublicKey, type KeyObject} from 'node:crypto'
import {AtomError} from '../errors.ts'
import {DER, readDer, readDerList} from './der.ts'
import {parsePem} from './pem.ts'

/** A public key from its PEM (SubjectPublicKeyInfo, as in cosign.pub). Throws KEY_INVALID. */
export function parsePublicKey(publicKeyPem: string): KeyObject {
  const {label, bytes} = parsePem(publicKeyPem)
  if (label !== 'PUBLIC KEY') {
    throw new AtomError('KEY_INVALID', `"${label}" is not a public key`, {
      hint: 'atomctl keys public   # prints the public half of a private key',
    })
  }
  const key = readSpki(bytes)
  // OpenSSL reads past bytes that are too many, and lengths that no DER has; the key's digest would not be that of the file
  if (!derOf(key).equals(bytes)) throw new AtomError('KEY_INVALID', 'the public key is not exactly one DER structure')
  if (key.asymmetricKeyType === 'ec') checkPoint(bytes)
  return key
}

/**
 * A point can be written compressed, and a curve by its numbers: other bytes, hence another digest, for the same key,
 * which would then count as two signers. cosign (Go) reads neither.
 */
function checkPoint(spki: Buffer): void {
  const [algorithm, point] = readDerList(readDer(spki, DER.sequence))
  const [, curve] = readDerList(algorithm?.content ?? Buffer.alloc(0))
  // the first byte of a bit string counts its unused bits; 4 marks a point with both coordinates
  if (curve?.tag === DER.objectId && point?.content[1] === 4) return
  throw new AtomError('KEY_INVALID', 'the public key is compressed, or its curve has no name', {
    hint: 'openssl pkey -pubin -in FILE -pubout -ec_conv_form uncompressed -ec_param_enc named_curve',
  })
}

function readSpki(bytes: Buffer): KeyObject {
  try {
    return createPublicKey({key: bytes, format: 'der', type: 'spki'})
  } catch (cause) {
    throw new AtomError('KEY_INVALID', 'the public key cannot be read', {cause})
  }
}

function derOf(key: KeyObject): Buffer {
  return key.export({type: 'spki', format: 'der'})
}

export function publicKeyPemOf(key: KeyObject): string {
  return key.export({type: 'spki', format: 'pem'}).toString()
}

/** How a bundle names its key: base64 of the SHA-256 of the SPKI DER, as cosign writes it. Throws KEY_INVALID. */
export function keyHint(publicKeyPem: string): string {
  return hintOf(parsePublicKey(publicKeyPem))
}

export function hintOf(key: KeyObject): string {
  return createHash('sha256').update(derOf(key)).digest('base64')
}

/** The key's digest as people compare it, in OpenSSH's form: `SHA256:<base64 without padding>`. */
export function keyFingerprint(publicKeyPem: string): string {
  return fingerprintOfHint(keyHint(publicKeyPem))
}

export function fingerprintOfHint(hint: string): string {
  return `SHA256:${hint.replace(/=+$/, '')}`
}

/** Names a key's kind for messages, such as "EC prime256v1" or "RSA 2048". */
export function describeKey(key: KeyObject): string {
  const {namedCurve, modulusLength} = key.asymmetricKeyDetails ?? {}
  return [key.asymmetricKeyType?.toUpperCase(), namedCurve ?? modulusLength].filter(Boolean).join(' ')
}
