import type {KeyObject} from 'node:crypto'
import type {Bundle} from '@sigstore/bundle'
import {type SignedEntity, type TrustMaterial, Verifier} from '@sigstore/verify'
import type {Thresholds} from '../trust-root.ts'
import {untrustedCertificate} from './refusal.ts'
import {checkResponse} from './timestamp.ts'

type Stamp = SignedEntity['timestamps'][number]

/**
 * The entity with only those timestamps that an authority of the trusted root made: another authority's beside them is
 * nobody's word here, and no reason to refuse the others. Throws the first one's refusal when none of them holds.
 */
export function withTrustedStamps(
  entity: SignedEntity,
  {verificationMaterial}: Bundle,
  trust: StampTrust,
): SignedEntity {
  const responses = verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? []
  const stamps = entity.timestamps.filter(({$case}) => $case === 'timestamp-authority')
  const refusals = new Map<Stamp, unknown>()
  for (const [index, stamp] of stamps.entries()) {
    try {
      checkResponse(responses[index]?.signedTimestamp ?? Buffer.alloc(0), trust.material.timestampAuthorities)
      checkStamp(stamp, entity, trust)
    } catch (error) {
      refusals.set(stamp, error)
    }
  }
  if (stamps.length > 0 && refusals.size === stamps.length) throw refusals.get(stamps[0] as Stamp)
  return {...entity, timestamps: entity.timestamps.filter((one) => !refusals.has(one))}
}

interface StampTrust {
  readonly material: TrustMaterial
  /** The signer's. A timestamp is over the signature, so that nothing is asked of the key here. */
  readonly key: KeyObject
}

/** Has sigstore-js verify one timestamp and nothing else. */
function checkStamp(stamp: Stamp, {signature}: SignedEntity, {material, key}: StampTrust): void {
  const publicKey: TrustMaterial['publicKey'] = () => ({publicKey: key, validFor: () => true})
  const options = {tlogThreshold: 0, timestampThreshold: 1, ctlogThreshold: 0}
  new Verifier({...material, publicKey}, options).verify({
    key: {$case: 'public-key', hint: ''},
    signature: {...signature, verifySignature: () => true},
    tlogEntries: [],
    timestamps: [stamp],
  })
}

function timesOf({timestamps}: SignedEntity): Date[] {
  return timestamps.flatMap((timestamp) => {
    if (timestamp.$case === 'timestamp-authority') return [timestamp.timestamp.signingTime]
    const {inclusionPromise, integratedTime} = timestamp.tlogEntry
    return inclusionPromise ? [new Date(Number(integratedTime) * 1000)] : []
  })
}

/** The earliest time that somebody vouches for. */
export function earliest(entity: SignedEntity): Date | undefined {
  const times = timesOf(entity).map((time) => time.getTime())
  return times.length === 0 ? undefined : new Date(Math.min(...times))
}

/** Thresholds count independent witnesses: two entries of one log, or two stamps of one authority, are one. */
export function checkDistinct(entity: SignedEntity, {tlog, timestamps}: Thresholds): void {
  const logs = new Set(entity.tlogEntries.map(({logId}) => logId.keyId.toString('hex')))
  if (logs.size < tlog) throw untrustedCertificate(`entries of ${logs.size} transparency logs, not of ${tlog}`)
  const clocks = new Set(
    entity.timestamps.flatMap((timestamp) => {
      if (timestamp.$case === 'timestamp-authority') return [timestamp.timestamp.signerSerialNumber.toString('hex')]
      return timestamp.tlogEntry.inclusionPromise ? [timestamp.tlogEntry.logId.keyId.toString('hex')] : []
    }),
  )
  if (clocks.size < timestamps) throw untrustedCertificate(`timestamps of ${clocks.size} clocks, not of ${timestamps}`)
}
