// A room with its own entry, `@atomctl/wpk/trust/keyless`: the only one that loads sigstore-js, which takes longer
// than verifying a signature by key. Everything here works offline.
import {type KeyObject, X509Certificate} from 'node:crypto'
import {type Bundle, bundleFromJSON} from '@sigstore/bundle'
import {type SignedEntity, toSignedEntity, type TrustMaterial, Verifier} from '@sigstore/verify'
import type {DecodedBundle} from '../../signing/bundle.ts'
import {readClaims} from '../../signing/certificate.ts'
import {malformed} from '../../signing/malformed.ts'
import type {CertifiedSigner, Thresholds, TrustRoot} from '../trust-root.ts'
import {signatureContent} from './content.ts'
import {checkDistinct, earliest, withTrustedStamps} from './clocks.ts'
import {checkVerifier} from './entry.ts'
import {checkProof} from './proof.ts'
import {describeRefusal, untrustedCertificate} from './refusal.ts'
import {readTrustedRoot} from './trusted-root.ts'

/** Reads a trusted root (TrustedRoot JSON), named `source` in messages. Throws TRUST_ROOT_INVALID. */
export function parseTrustRoot(bytes: Uint8Array, source: string): TrustRoot {
  return new SigstoreRoot(readTrustedRoot(bytes, source), source)
}

type IsSignedBy = (key: KeyObject) => boolean
type Entry = SignedEntity['tlogEntries'][number]

class SigstoreRoot implements TrustRoot {
  readonly source: string
  readonly #material: TrustMaterial

  constructor(material: TrustMaterial, source: string) {
    this.#material = material
    this.source = source
  }

  verifyCertified(bundle: DecodedBundle, isSignedBy: IsSignedBy, thresholds: Thresholds): CertifiedSigner {
    const {certificate} = bundle
    if (!certificate) throw malformed('it has no certificate')
    return this.#guard(() => {
      checkLeaf(certificate)
      // A certificate is valid for minutes: without a trusted time nothing says that it was when it signed.
      const timestamps = Math.max(thresholds.timestamps, 1)
      const {publicKey: key} = new X509Certificate(certificate)
      const entity = this.#verify(bundle, isSignedBy, {...thresholds, timestamps}, {material: this.#material, key})
      for (const {canonicalizedBody} of entity.tlogEntries) checkVerifier(canonicalizedBody, {key, certificate})
      return {...readClaims(certificate), publicKey: key, signedAt: earliest(entity) ?? new Date(Number.NaN)}
    })
  }

  verifyWitnesses(
    bundle: DecodedBundle,
    key: KeyObject,
    isSignedBy: IsSignedBy,
    thresholds: Thresholds,
  ): Date | undefined {
    return this.#guard(() => {
      const publicKey: TrustMaterial['publicKey'] = () => ({publicKey: key, validFor: () => true})
      const entity = this.#verify(bundle, isSignedBy, thresholds, {material: {...this.#material, publicKey}, key})
      for (const {canonicalizedBody} of entity.tlogEntries) checkVerifier(canonicalizedBody, {key})
      return earliest(entity)
    })
  }

  #verify(
    bundle: DecodedBundle,
    isSignedBy: IsSignedBy,
    thresholds: Thresholds,
    {material, key}: {readonly material: TrustMaterial; readonly key: KeyObject},
  ): SignedEntity {
    const read = readBundle(bundle)
    const signature = signatureContent(bundle, isSignedBy)
    const logged = this.#withKnownLogs({...toSignedEntity(read), signature})
    const entity = withTrustedStamps(logged, read, {material, key})
    for (const entry of entity.tlogEntries) checkProof(entry)
    const {tlog, timestamps, sct} = thresholds
    new Verifier(material, {tlogThreshold: tlog, timestampThreshold: timestamps, ctlogThreshold: sct}).verify(entity)
    checkDistinct(entity, thresholds)
    this.#checkLogPeriods(entity)
    return entity
  }

  /**
   * The entity without entries of logs that nobody knows here: no sign of tampering, as which sigstore-js reports them, and
   * beside the entry of a known log no reason to refuse it.
   */
  #withKnownLogs(entity: SignedEntity): SignedEntity {
    const isKnown = ({logId}: Entry): boolean => this.#material.tlogs.some(({logID}) => logID.equals(logId.keyId))
    const tlogEntries = entity.tlogEntries.filter(isKnown)
    if (tlogEntries.length === 0 && entity.tlogEntries.length > 0) {
      throw untrustedCertificate(`its transparency log is not in the trusted root ${this.source}`)
    }
    const timestamps = entity.timestamps.filter((one) => one.$case !== 'transparency-log' || isKnown(one.tlogEntry))
    return {...entity, tlogEntries, timestamps}
  }

  /** A log that was retired vouches for nothing that was signed later; sigstore-js looks only at inclusion promises. */
  #checkLogPeriods(entity: SignedEntity): void {
    const time = earliest(entity)
    if (!time) return
    for (const {logId} of entity.tlogEntries) {
      const logs = this.#material.tlogs.filter(({logID}) => logID.equals(logId.keyId))
      const isValid = logs.some(({validFor}) => validFor.start <= time && time <= validFor.end)
      if (!isValid) throw untrustedCertificate(`the transparency log was not valid at ${time.toISOString()}`)
    }
  }

  /** Errors of many classes leave sigstore-js and node:crypto; every one of them refuses the bundle. */
  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw describeRefusal(error, this.source)
    }
  }
}

/**
 * A v0.1 bundle rests on the inclusion promise. A proof without a checkpoint beside it proves nothing, and sigstore-js
 * would stumble over it; like other clients, leave it aside.
 */
function readBundle({json}: DecodedBundle): Bundle {
  const bundle = bundleFromJSON(json)
  if (bundle.mediaType !== V01_MEDIA_TYPE) return bundle
  const tlogEntries = bundle.verificationMaterial.tlogEntries.map((entry) => {
    return entry.inclusionProof?.checkpoint ? entry : {...entry, inclusionProof: undefined}
  })
  return {...bundle, verificationMaterial: {...bundle.verificationMaterial, tlogEntries}} as Bundle
}

const V01_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle+json;version=0.1'
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'

/** The certificate of a signer is for code signing and no authority's; sigstore-js checks neither. */
function checkLeaf(der: Buffer): void {
  const certificate = new X509Certificate(der)
  if (certificate.ca) throw untrustedCertificate('the certificate belongs to an authority, not to a signer')
  const usages = certificate.keyUsage as readonly string[] | undefined
  if (!usages?.includes(CODE_SIGNING)) throw untrustedCertificate('the certificate is not for code signing')
}
