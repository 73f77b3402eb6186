import {type KeyObject, X509Certificate} from 'node:crypto'
import type {TrustMaterial} from '@sigstore/verify'
import {malformed} from '../../signing/malformed.ts'
import {readBytes, readFields, readList, readOneOf, readText} from '../../signing/shape.ts'

const MEDIA_TYPES = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
] as const
const LISTS = ['tlogs', 'certificateAuthorities', 'ctlogs', 'timestampAuthorities'] as const
const LOG = ['baseUrl', 'hashAlgorithm', 'publicKey', 'logId', 'checkpointKeyId', 'operator'] as const
const AUTHORITY = ['subject', 'uri', 'certChain', 'validFor', 'operator'] as const

/** Names of kinds of keys, which clients can check signatures of, and what node:crypto calls them. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['PKIX_ECDSA_P256_SHA_256', 'prime256v1'],
  ['PKIX_ECDSA_P384_SHA_384', 'secp384r1'],
  ['PKIX_ECDSA_P521_SHA_512', 'secp521r1'],
  ['PKIX_ED25519', 'ed25519'],
  ['PKCS1_RSA_PKCS1V5', 'rsa'],
  ['PKIX_RSA_PKCS1V5', 'rsa'],
  ['PKIX_RSA_PKCS1V15_2048_SHA256', 'rsa'],
  ['PKIX_RSA_PKCS1V15_3072_SHA256', 'rsa'],
  ['PKIX_RSA_PKCS1V15_4096_SHA256', 'rsa'],
])

/**
 * Checks the JSON of a TrustedRoot (sigstore/protobuf-specs, sigstore_trustroot.proto) down to its last field, as strictly as
 * cosign reads it; sigstore-js takes nearly everything. Every log and authority must say since when it is valid, because
 * sigstore-js takes a missing start for "since ever". Throws SIGNATURE_MALFORMED saying where.
 */
export function checkRootShape(json: unknown): void {
  const root = readFields(json, 'trusted root', ['mediaType', ...LISTS])
  readOneOf(root.mediaType, 'mediaType', MEDIA_TYPES)
  for (const name of LISTS) {
    const list = root[name] === undefined ? [] : readList(root[name], name)
    const check = name.endsWith('logs') ? checkLog : checkAuthority
    for (const [index, one] of list.entries()) check(one, `${name}[${index}]`)
  }
}

function checkLog(value: unknown, where: string): void {
  const log = readFields(value, where, LOG)
  if (!/^[!-~]*$/.test(readOptionalText(log.baseUrl, `${where}.baseUrl`)))
    throw malformed(`${where}.baseUrl: not a URL`)
  readOptionalText(log.operator, `${where}.operator`)
  readOneOf(log.hashAlgorithm, `${where}.hashAlgorithm`, ['SHA2_256'])
  const key = readFields(log.publicKey, `${where}.publicKey`, ['rawBytes', 'keyDetails', 'validFor'])
  readBytes(key.rawBytes, `${where}.publicKey.rawBytes`)
  readOneOf(key.keyDetails, `${where}.publicKey.keyDetails`, [...KINDS.keys()])
  checkPeriod(key.validFor, `${where}.publicKey.validFor`)
  for (const name of ['logId', 'checkpointKeyId'] as const) {
    if (name === 'checkpointKeyId' && log[name] === undefined) continue
    readBytes(readFields(log[name], `${where}.${name}`, ['keyId']).keyId, `${where}.${name}.keyId`)
  }
}

function checkAuthority(value: unknown, where: string): void {
  const authority = readFields(value, where, AUTHORITY)
  readOptionalText(authority.uri, `${where}.uri`)
  readOptionalText(authority.operator, `${where}.operator`)
  checkPeriod(authority.validFor, `${where}.validFor`)
  if (authority.subject !== undefined) {
    const subject = readFields(authority.subject, `${where}.subject`, ['organization', 'commonName'])
    for (const [name, text] of Object.entries(subject)) readOptionalText(text, `${where}.subject.${name}`)
  }
  const {certificates} = readFields(authority.certChain, `${where}.certChain`, ['certificates'])
  const list = readList(certificates, `${where}.certChain.certificates`)
  if (list.length === 0) throw malformed(`${where}.certChain.certificates: an empty list`)
  for (const [index, one] of list.entries()) checkCertificate(one, `${where}.certChain.certificates[${index}]`)
}

function checkCertificate(value: unknown, where: string): void {
  const der = readBytes(readFields(value, where, ['rawBytes']).rawBytes, `${where}.rawBytes`)
  const {raw, publicKey} = new X509Certificate(der)
  if (!raw.equals(der) || !kindOf(publicKey)) throw malformed(`${where}.rawBytes: not exactly one certificate`)
}

const TIME = /^(?!0000)\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function checkPeriod(value: unknown, where: string): void {
  const period = readFields(value, where, ['start', 'end'])
  if (period.start === undefined) throw malformed(`${where}.start is missing`)
  for (const [name, text] of Object.entries(period)) {
    if (text !== undefined && !isTime(text))
      throw malformed(`${where}.${name}: not a time such as 2026-01-31T00:00:00Z`)
  }
}

/** RFC 3339, and a day that there is. */
function isTime(text: unknown): boolean {
  if (typeof text !== 'string' || !TIME.test(text) || Number.isNaN(Date.parse(text))) return false
  const day = text.slice(0, 10)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}

function readOptionalText(value: unknown, where: string): string {
  return value === undefined || value === '' ? '' : readText(value, where)
}

/** Checks that the keys of the logs are of the kinds that they are said to be, and nothing but keys. */
export function checkLogKeys(json: unknown, {tlogs, ctlogs}: TrustMaterial): void {
  const lists = json as {readonly tlogs?: readonly StatedLog[]; readonly ctlogs?: readonly StatedLog[]}
  for (const [name, stated, logs] of [
    ['tlogs', lists.tlogs, tlogs],
    ['ctlogs', lists.ctlogs, ctlogs],
  ] as const) {
    for (const [index, {publicKey}] of (stated ?? []).entries()) {
      const key = logs[index]?.publicKey
      if (!key || kindOf(key) !== KINDS.get(publicKey.keyDetails) || !isEncoding(key, publicKey.rawBytes)) {
        throw malformed(`${name}[${index}].publicKey: not exactly one key of the kind ${publicKey.keyDetails}`)
      }
    }
  }
}

interface StatedLog {
  readonly publicKey: {readonly rawBytes: string; readonly keyDetails: string}
}

function kindOf(key: KeyObject): string | undefined {
  return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType
}

/** Not asked of RSA: roots have such keys in either of two encodings, whatever they are called, and Node writes neither back. */
function isEncoding(key: KeyObject, base64: string): boolean {
  return key.asymmetricKeyType === 'rsa' || key.export({type: 'spki', format: 'der'}).toString('base64') === base64
}
