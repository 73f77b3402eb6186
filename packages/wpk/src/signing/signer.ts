import {createPublicKey, createSign, type KeyObject} from 'node:crypto'
import {AtomError} from '../errors.ts'
import type {Claims} from './certificate.ts'
import {loadPrivateKey} from './keys.ts'
import {describeKey, hintOf, publicKeyPemOf} from './public-key.ts'

/** What was signed, as far as witnesses ask for it. */
export type SignedContent =
  | {readonly kind: 'message'; readonly digest: Uint8Array; readonly signature: Uint8Array}
  | {
      readonly kind: 'envelope'
      readonly payloadType: string
      readonly payload: Uint8Array
      readonly signature: Uint8Array
    }

/** What a keyless bundle brings along in place of a key's hint. */
export interface Witnessed {
  /** DER of the signer's certificate. */
  readonly certificate: Uint8Array
  /** TransparencyLogEntry JSON (sigstore/protobuf-specs, sigstore_rekor.proto). */
  readonly tlogEntries: readonly object[]
  /** RFC 3161 time-stamp responses. */
  readonly timestamps: readonly Uint8Array[]
}

/** Signs with one key. The signature is ECDSA P-256 over SHA-256 in DER, which every cosign verifies. */
export interface Signer {
  /** base64 of the SHA-256 of the public key; what a bundle names the key by. */
  readonly keyHint: string
  readonly publicKeyPem: string
  /** Data too large for memory comes as a stream of chunks. */
  sign(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array>
  /** Keyless only: has the signature witnessed by logs and clocks, and gives what a bundle needs to prove it. */
  readonly witness?: (content: SignedContent) => Promise<Witnessed>
  /** Keyless only: whom the certificate names. */
  readonly claims?: Claims
}

/** A signer from an encrypted private key in cosign's format. Throws KEY_INVALID or KEY_PASSWORD. */
export async function loadSigner(privateKeyPem: string, password: string | undefined): Promise<Signer> {
  return new KeySigner(await loadPrivateKey(privateKeyPem, password))
}

class KeySigner implements Signer {
  readonly keyHint: string
  readonly publicKeyPem: string
  readonly #privateKey: KeyObject

  constructor(privateKey: KeyObject) {
    checkKind(privateKey)
    const publicKey = createPublicKey(privateKey)
    this.#privateKey = privateKey
    this.keyHint = hintOf(publicKey)
    this.publicKeyPem = publicKeyPemOf(publicKey)
  }

  async sign(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const signing = createSign('sha256')
    if (data instanceof Uint8Array) signing.update(data)
    else for await (const chunk of data) signing.update(chunk)
    return signing.sign(this.#privateKey)
  }
}

/** cosign cannot yet verify its own Ed25519 bundles, and P-384 and P-521 only with extra flags: sign with none of them. */
function checkKind(key: KeyObject): void {
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return
  throw new AtomError('KEY_INVALID', `signing needs an ECDSA P-256 key; this one is ${describeKey(key)}`, {
    hint: 'atomctl keys generate',
  })
}
