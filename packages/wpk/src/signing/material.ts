import {X509Certificate} from 'node:crypto'
import {malformed} from './malformed.ts'
import {type Fields, readBytes, readFields, readList, readText} from './shape.ts'

/** What a bundle brings along to be verified with, read but not verified. */
export interface Material {
  /** How it names its key; undefined for a keyless bundle, which carries a certificate. */
  readonly keyHint: string | undefined
  /** The signer's certificate (DER) of a keyless bundle. */
  readonly certificate: Buffer | undefined
  /** Transparency log entries or timestamps, which a signature by key does not need. */
  readonly hasWitnesses: boolean
}

const MAX_HINT_CHARACTERS = 128
/** Far above any real number of witnesses; each costs a signature check or more. */
const MAX_WITNESSES = 16
const MAX_PROOF_HASHES = 64
const MAX_INT64 = 2n ** 63n - 1n

const KINDS = ['publicKey', 'certificate', 'x509CertificateChain'] as const

/** Reads `verificationMaterial` down to its last field. Throws SIGNATURE_MALFORMED. */
export function readMaterial(value: unknown): Material {
  const names = [...KINDS, 'tlogEntries', 'timestampVerificationData'] as const
  const material = readFields(value, 'verificationMaterial', names)
  if (KINDS.filter((kind) => material[kind] !== undefined).length !== 1) {
    throw malformed('it must name one key or one certificate')
  }
  const entries = material.tlogEntries === undefined ? 0 : readEntries(material.tlogEntries)
  const timestamps = material.timestampVerificationData === undefined ? 0 : readTimestamps(material)
  return {
    keyHint: material.publicKey === undefined ? undefined : readHint(material.publicKey),
    certificate: readCertificate(material),
    hasWitnesses: entries + timestamps > 0,
  }
}

function readHint(value: unknown): string {
  const hint = readText(readFields(value, 'publicKey', ['hint']).hint, 'publicKey.hint')
  if (hint.length > MAX_HINT_CHARACTERS) throw malformed('publicKey.hint: too long')
  return hint
}

/** The leaf. Bundles before v0.3 carry a chain, whose other certificates nobody needs: the trusted root has them. */
function readCertificate({
  certificate,
  x509CertificateChain: chain,
}: Fields<(typeof KINDS)[number]>): Buffer | undefined {
  if (certificate !== undefined) return readDer(certificate, 'certificate')
  if (chain === undefined) return undefined
  const {certificates} = readFields(chain, 'x509CertificateChain', ['certificates'])
  const [leaf, ...issuers] = readList(certificates, 'x509CertificateChain.certificates').map((one, index) =>
    readDer(one, `x509CertificateChain.certificates[${index}]`),
  )
  if (!leaf) throw malformed('x509CertificateChain.certificates: an empty list')
  if (issuers.some(isSelfIssued)) throw malformed('x509CertificateChain.certificates: holds a root certificate')
  return leaf
}

/** A bundle must not bring its own root along (sigstore/protobuf-specs, X509CertificateChain). */
function isSelfIssued(der: Buffer): boolean {
  try {
    const {subject, issuer} = new X509Certificate(der)
    return subject === issuer
  } catch (cause) {
    throw malformed('x509CertificateChain.certificates: not a certificate', cause)
  }
}

function readDer(value: unknown, where: string): Buffer {
  return readBytes(readFields(value, where, ['rawBytes']).rawBytes, `${where}.rawBytes`)
}

function readEntries(value: unknown): number {
  const entries = readList(value, 'tlogEntries')
  if (entries.length === 0) throw malformed('tlogEntries: an empty list')
  if (entries.length > MAX_WITNESSES) throw malformed(`tlogEntries: more than ${MAX_WITNESSES}`)
  for (const [index, entry] of entries.entries()) readEntry(entry, `tlogEntries[${index}]`)
  return entries.length
}

const ENTRY = [
  'logIndex',
  'logId',
  'kindVersion',
  'integratedTime',
  'inclusionPromise',
  'inclusionProof',
  'canonicalizedBody',
] as const

/** A TransparencyLogEntry (sigstore/protobuf-specs, sigstore_rekor.proto). */
function readEntry(value: unknown, where: string): void {
  const entry = readFields(value, where, ENTRY)
  readCount(entry.logIndex, `${where}.logIndex`)
  readCount(entry.integratedTime, `${where}.integratedTime`)
  readBytes(readFields(entry.logId, `${where}.logId`, ['keyId']).keyId, `${where}.logId.keyId`)
  const {kind, version} = readFields(entry.kindVersion, `${where}.kindVersion`, ['kind', 'version'])
  readText(kind, `${where}.kindVersion.kind`)
  readText(version, `${where}.kindVersion.version`)
  readBytes(entry.canonicalizedBody, `${where}.canonicalizedBody`)
  if (entry.inclusionPromise !== undefined) {
    const {signedEntryTimestamp} = readFields(entry.inclusionPromise, `${where}.inclusionPromise`, [
      'signedEntryTimestamp',
    ])
    readBytes(signedEntryTimestamp, `${where}.inclusionPromise.signedEntryTimestamp`)
  }
  if (entry.inclusionProof !== undefined) readProof(entry.inclusionProof, `${where}.inclusionProof`)
}

function readProof(value: unknown, where: string): void {
  const proof = readFields(value, where, ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint'])
  readCount(proof.logIndex, `${where}.logIndex`)
  readCount(proof.treeSize, `${where}.treeSize`)
  readBytes(proof.rootHash, `${where}.rootHash`)
  const hashes = proof.hashes === undefined ? [] : readList(proof.hashes, `${where}.hashes`)
  if (hashes.length > MAX_PROOF_HASHES) throw malformed(`${where}.hashes: more than ${MAX_PROOF_HASHES}`)
  for (const hash of hashes) readBytes(hash, `${where}.hashes`)
  if (proof.checkpoint === undefined) return
  const {envelope} = readFields(proof.checkpoint, `${where}.checkpoint`, ['envelope'])
  readText(envelope, `${where}.checkpoint.envelope`)
}

/** An int64 of JSON protobuf, not negative: decimal text or a number; zero may be left out. */
function readCount(value: unknown, where: string): void {
  if (value === undefined) return
  const isCount =
    typeof value === 'number'
      ? Number.isSafeInteger(value) && value >= 0
      : typeof value === 'string' && /^(0|[1-9]\d{0,18})$/.test(value) && BigInt(value) <= MAX_INT64
  if (!isCount) throw malformed(`${where}: not a count`)
}

function readTimestamps({timestampVerificationData: data}: {readonly timestampVerificationData: unknown}): number {
  const where = 'timestampVerificationData.rfc3161Timestamps'
  const {rfc3161Timestamps} = readFields(data, 'timestampVerificationData', ['rfc3161Timestamps'])
  const timestamps = rfc3161Timestamps === undefined ? [] : readList(rfc3161Timestamps, where)
  if (timestamps.length > MAX_WITNESSES) throw malformed(`${where}: more than ${MAX_WITNESSES}`)
  for (const [index, timestamp] of timestamps.entries()) {
    const {signedTimestamp} = readFields(timestamp, `${where}[${index}]`, ['signedTimestamp'])
    readBytes(signedTimestamp, `${where}[${index}].signedTimestamp`)
  }
  return timestamps.length
}
