import type {KeyObject} from 'node:crypto'
import type {DecodedBundle} from '../signing/bundle.ts'
import type {Claims} from '../signing/certificate.ts'

/** How many independent witnesses a signature needs. */
export interface Thresholds {
  /** Transparency logs that have it. */
  readonly tlog: number
  /** Clocks that saw it: timestamp authorities, or logs with an inclusion promise. A certificate needs at least one. */
  readonly timestamps: number
  /** Certificate transparency logs that have the certificate. */
  readonly sct: number
}

export const DEFAULT_THRESHOLDS: Thresholds = {tlog: 1, timestamps: 1, sct: 1}

/** For a signature by key: a key does not expire within minutes, so that it needs no time to be judged by. */
export const KEY_THRESHOLDS: Thresholds = {tlog: 1, timestamps: 0, sct: 0}

/** Who signed with a certificate that a trusted root vouches for. */
export interface CertifiedSigner extends Claims {
  readonly publicKey: KeyObject
  /** The earliest time that a witness saw the signature. */
  readonly signedAt: Date
}

/** The authorities and logs of one Sigstore. Verification against it opens no socket. */
export interface TrustRoot {
  /** The file it came from, for messages. */
  readonly source: string
  /**
   * Verifies everything about a keyless bundle but whom it names and, which the caller knows how to, the signature
   * over the content. Throws WPK_TAMPERED, SIGNER_UNTRUSTED, SIGNATURE_MALFORMED.
   */
  verifyCertified(
    bundle: DecodedBundle,
    isSignedBy: (key: KeyObject) => boolean,
    thresholds: Thresholds,
  ): CertifiedSigner
  /** The same for the witnesses of a signature by key; returns its earliest time, when a witness names one. */
  verifyWitnesses(
    bundle: DecodedBundle,
    key: KeyObject,
    isSignedBy: (key: KeyObject) => boolean,
    thresholds: Thresholds,
  ): Date | undefined
}
