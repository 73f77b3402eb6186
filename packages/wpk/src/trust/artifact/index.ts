// A room with its own entry, `@atomctl/wpk/trust/artifact`: checking a file by key needs neither YAML nor the schema.
import {createHash, type KeyObject} from 'node:crypto'
import type {Readable} from 'node:stream'
import {AtomError} from '../../errors.ts'
import {type DecodedBundle, decodeBundle, type EnvelopeContent, parseBundle} from '../../signing/bundle.ts'
import {parsePayload, PAYLOAD_TYPE} from '../../signing/envelope.ts'
import {malformed} from '../../signing/malformed.ts'
import {fingerprintOfHint, hintOf, parsePublicKey} from '../../signing/public-key.ts'
import {readList, readObject, readOneOf} from '../../signing/shape.ts'
import {isEnvelopeSignedBy, isMessageSignedBy} from '../../signing/verify.ts'
import {tampered} from '../content.ts'
import {judgeSigner} from '../judge.ts'
import {Judgement} from '../levels.ts'
import type {TrustPolicy} from '../policy.ts'
import {selectRule, type Subject} from '../rules.ts'
import type {SignedBy} from '../verified.ts'
import {keylessUnavailable} from '../verify.ts'

/** Whom a detached signature must come from: one key, or whoever the policy trusts for a package. */
export type ArtifactTrust =
  | {readonly publicKeyPem: string}
  | {readonly policy: TrustPolicy; readonly name: string; readonly registry?: string; readonly now?: Date}

export interface VerifiedArtifact {
  readonly signers: readonly SignedBy[]
  readonly warnings: readonly string[]
}

/**
 * Verifies a detached bundle (parsed JSON, or its bytes) over any bytes, as `cosign verify-blob --key` does; the
 * bytes are read once as a stream. A DSSE bundle must be an in-toto statement with the bytes among its subjects.
 * The bundle has to name the key: a hint that is missing or foreign is refused.
 * Throws SIGNATURE_MALFORMED, WPK_TAMPERED, SIGNER_UNTRUSTED, SIGNER_EXPIRED, SIGNER_REVOKED, KEY_INVALID.
 */
export async function verifyArtifact(
  bundleJson: unknown,
  source: () => Readable,
  trust: ArtifactTrust,
): Promise<VerifiedArtifact> {
  const bundle = decodeBundle(bundleJson instanceof Uint8Array ? parseBundle(bundleJson) : bundleJson)
  if (bundle.keyHint === undefined) throw keylessUnavailable()
  return 'publicKeyPem' in trust
    ? verifyByKey(bundle, bundle.keyHint, source, parsePublicKey(trust.publicKeyPem))
    : verifyByPolicy(bundle, bundle.keyHint, source, trust)
}

async function verifyByKey(
  bundle: DecodedBundle,
  hint: string,
  source: () => Readable,
  key: KeyObject,
): Promise<VerifiedArtifact> {
  const fingerprint = fingerprintOfHint(hint)
  if (hint !== hintOf(key)) {
    throw new AtomError('SIGNER_UNTRUSTED', `the bundle names the key ${fingerprint}, not the given one`, {
      hint: 'give the public key of the signer with --key',
    })
  }
  if (!(await isSignedBy(bundle, key, source))) throw notSigned()
  return {signers: [{fingerprint}], warnings: witnessWarnings(bundle)}
}

async function verifyByPolicy(
  bundle: DecodedBundle,
  hint: string,
  source: () => Readable,
  trust: Extract<ArtifactTrust, {policy: TrustPolicy}>,
): Promise<VerifiedArtifact> {
  const {policy, name, registry, now = new Date()} = trust
  const subject: Subject = {name, registry}
  const rule = selectRule(policy, subject)
  const judgement = new Judgement(rule.level)
  if (rule.level === 'skip') return {signers: [], warnings: [`NOT VERIFIED: rule ${rule.name} skips all checks`]}
  const key = policy.keysByHint.get(hint)
  const holds = key !== undefined && (await isSignedBy(bundle, key.publicKey, source))
  const signer = judgeSigner({policy, rule, subject, judgement, now}, hint, () => holds)
  return {signers: signer ? [signer] : [], warnings: [...judgement.warnings, ...witnessWarnings(bundle)]}
}

async function isSignedBy({content}: DecodedBundle, key: KeyObject, source: () => Readable): Promise<boolean> {
  if (content.kind === 'message') return isMessageSignedBy(content, key, source)
  if (!isEnvelopeSignedBy(content, key)) return false
  const digest = createHash('sha256')
  for await (const chunk of source() as AsyncIterable<Uint8Array>) digest.update(chunk)
  return hasSubject(content, digest.digest('hex'))
}

const STATEMENT_TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'] as const

/** Whether the in-toto statement in the envelope is about the bytes with this SHA-256. */
function hasSubject(envelope: EnvelopeContent, sha256: string): boolean {
  if (envelope.payloadType !== PAYLOAD_TYPE) throw malformed(`its payload type is ${envelope.payloadType}`)
  const statement = readObject(parsePayload(envelope.payload), 'statement') as {_type?: unknown; subject?: unknown}
  readOneOf(statement._type, '_type', STATEMENT_TYPES)
  const subjects = readList(statement.subject, 'subject').map((subject) => readObject(subject, 'subject'))
  const digests = subjects.map((subject) => readObject((subject as {digest?: unknown}).digest, 'subject.digest'))
  return digests.some((digest) => (digest as {sha256?: unknown}).sha256 === sha256)
}

function witnessWarnings({hasWitnesses}: DecodedBundle): string[] {
  return hasWitnesses ? ['the bundle has transparency log entries or timestamps; they were not checked'] : []
}

function notSigned(): AtomError {
  return tampered('the signature does not match these bytes and this key')
}
