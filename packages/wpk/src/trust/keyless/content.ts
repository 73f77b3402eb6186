import {createHash, type KeyObject, timingSafeEqual} from 'node:crypto'
import type {SignedEntity} from '@sigstore/verify'
import type {DecodedBundle} from '../../signing/bundle.ts'
import {encodeEnvelope} from '../../signing/envelope.ts'

/** Rekor's entries say by the length of a digest which one they hold. */
const HASH_OF_LENGTH: ReadonlyMap<number, string> = new Map([
  [32, 'sha256'],
  [48, 'sha384'],
  [64, 'sha512'],
])

/**
 * What sigstore-js asks about the signed content. The signature itself is checked by this package, which can do it on
 * a stream; sigstore-js would need the whole file in memory.
 */
export function signatureContent(
  {content}: DecodedBundle,
  isSignedBy: (key: KeyObject) => boolean,
): SignedEntity['signature'] {
  const {signature} = content
  const isDigestOf = (data: Uint8Array, digest: Buffer): boolean =>
    isEqual(
      createHash(HASH_OF_LENGTH.get(digest.length) ?? 'sha256')
        .update(data)
        .digest(),
      digest,
    )
  return {
    signature,
    compareSignature: (other) => isEqual(signature, other),
    compareDigest: (digest) =>
      content.kind === 'message' ? isEqual(content.digest, digest) : isDigestOf(content.payload, digest),
    compareSignedDigest: (digest) =>
      content.kind === 'message'
        ? isEqual(content.digest, digest)
        : isDigestOf(encodeEnvelope(content.payloadType, content.payload), digest),
    verifySignature: (key) => isSignedBy(key),
  }
}

function isEqual(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
