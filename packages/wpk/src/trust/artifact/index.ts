// A room with its own entry, `@atomctl/wpk/trust/artifact`: checking a file by key needs neither YAML nor the schema.
import {createHash, type KeyObject, X509Certificate} from 'node:crypto'
import type {Readable} from 'node:stream'
import {AtomError} from '../../errors.ts'
import {type DecodedBundle, decodeDetachedBundle, type EnvelopeContent, parseBundle} from '../../signing/bundle.ts'
import type {Claims} from '../../signing/certificate.ts'
import {parsePayload, PAYLOAD_TYPE} from '../../signing/envelope.ts'
import {malformed} from '../../signing/malformed.ts'
import {decodeBase64} from '../../signing/pem.ts'
import {fingerprintOfHint, hintOf, parsePublicKey} from '../../signing/public-key.ts'
import {readList, readObject, readOneOf} from '../../signing/shape.ts'
import {checkVerifiable, isBareSignature, isEnvelopeSignedBy, isMessageSignedBy} from '../../signing/verify.ts'
import {describeCertified, judgeCertified} from '../certified.ts'
import {tampered} from '../content.ts'
import {type Judged, judgeSigner, type SignerContext} from '../judge.ts'
import {Judgement} from '../levels.ts'
import type {TrustPolicy} from '../policy.ts'
import {countSigners} from '../quorum.ts'
import {selectRule, type Subject} from '../rules.ts'
import {DEFAULT_THRESHOLDS, KEY_THRESHOLDS, type TrustRoot} from '../trust-root.ts'
import {type SignedBy, WITNESSES_IGNORED} from '../verified.ts'

/** Whom a detached signature must come from: one key, one identity, or whoever the policy trusts for a package. */
export type ArtifactTrust = KeyTrust | IdentityTrust | PolicyTrust

/** With a trusted root, the transparency log entry and the time of the signature are checked and required as well. */
export interface KeyTrust {
  readonly publicKeyPem: string
  readonly trustRoot?: TrustRoot
}

/** Identity and issuer exactly as they must stand in the certificate. */
export interface IdentityTrust extends Claims {
  readonly trustRoot: TrustRoot
}

/**
 * Whoever the deciding rule trusts. A detached bundle is one signature, so that one is enough here, whatever the rule's
 * threshold: what that counts are the signatures inside the document.
 */
export interface PolicyTrust {
  readonly policy: TrustPolicy
  readonly name: string
  readonly registry?: string
  readonly now?: Date
}

export interface VerifiedArtifact {
  readonly signers: readonly SignedBy[]
  readonly warnings: readonly string[]
}

/**
 * Verifies a detached bundle (parsed JSON, or its bytes) over any bytes, as `cosign verify-blob` does; the bytes are
 * read once as a stream. A DSSE bundle must be an in-toto statement with the bytes among its subjects.
 * The bundle has to name the key: a hint that is missing or foreign is refused.
 * Throws SIGNATURE_MALFORMED, WPK_TAMPERED, SIGNER_UNTRUSTED, SIGNER_EXPIRED, SIGNER_REVOKED, KEY_INVALID.
 */
export async function verifyArtifact(
  bundleJson: unknown,
  source: () => Readable,
  trust: ArtifactTrust,
): Promise<VerifiedArtifact> {
  const bundle = decodeDetachedBundle(bundleJson instanceof Uint8Array ? parseBundle(bundleJson) : bundleJson)
  if ('policy' in trust) return verifyByPolicy(bundle, source, trust)
  return 'publicKeyPem' in trust ? verifyByKey(bundle, source, trust) : verifyByIdentity(bundle, source, trust)
}

async function verifyByKey(
  bundle: DecodedBundle,
  source: () => Readable,
  {publicKeyPem, trustRoot}: KeyTrust,
): Promise<VerifiedArtifact> {
  const key = checkVerifiable(parsePublicKey(publicKeyPem))
  const {keyHint: hint} = bundle
  if (hint === undefined) throw otherSigner('the bundle carries a certificate and names no key', BY_IDENTITY)
  const fingerprint = fingerprintOfHint(hint)
  if (hint !== hintOf(key)) throw otherSigner(`the bundle names the key ${fingerprint}, not the given one`, BY_KEY)
  if (!(await isSignedBy(bundle, key, source))) throw notSigned()
  if (!trustRoot) return {signers: [{fingerprint}], warnings: bundle.hasWitnesses ? [WITNESSES_IGNORED] : []}
  const signedAt = trustRoot.verifyWitnesses(bundle, key, (other) => other.equals(key), KEY_THRESHOLDS)
  return {signers: [{fingerprint, ...(signedAt && {signedAt: signedAt.toISOString()})}], warnings: []}
}

async function verifyByIdentity(
  bundle: DecodedBundle,
  source: () => Readable,
  {identity, issuer, trustRoot}: IdentityTrust,
): Promise<VerifiedArtifact> {
  if (!bundle.certificate) throw otherSigner('the bundle carries no certificate; it names a key', BY_KEY)
  const isHolder = await checkSignature(bundle, source)
  const signer = trustRoot.verifyCertified(bundle, isHolder, DEFAULT_THRESHOLDS)
  if (signer.identity !== identity || signer.issuer !== issuer) {
    const who = `${JSON.stringify(signer.identity)} (issuer ${JSON.stringify(signer.issuer)})`
    throw otherSigner(`it is signed by ${who}, not by ${JSON.stringify(identity)} (issuer ${JSON.stringify(issuer)})`)
  }
  return {signers: [describeCertified(signer)], warnings: []}
}

async function verifyByPolicy(
  bundle: DecodedBundle,
  source: () => Readable,
  trust: PolicyTrust,
): Promise<VerifiedArtifact> {
  const {policy, name, registry, now = new Date()} = trust
  const subject: Subject = {name, registry}
  const rule = selectRule(policy, subject)
  const judgement = new Judgement(rule.level)
  if (rule.level === 'skip') return {signers: [], warnings: [`NOT VERIFIED: rule ${rule.name} skips all checks`]}
  const context: SignerContext = {policy, rule, subject, judgement, now}
  const counted = countSigners(context, [await judgeBundle(context, bundle, source)], 1)
  const isIgnored = bundle.keyHint !== undefined && bundle.hasWitnesses
  const signers = counted.map(({signer}) => signer)
  return {signers, warnings: [...judgement.warnings, ...(isIgnored ? [WITNESSES_IGNORED] : [])]}
}

async function judgeBundle(context: SignerContext, bundle: DecodedBundle, source: () => Readable): Promise<Judged> {
  const {keyHint: hint} = bundle
  if (hint === undefined) return judgeCertified(context, bundle, await checkSignature(bundle, source))
  const key = context.policy.keysByHint.get(hint)
  const holds = key !== undefined && (await isSignedBy(bundle, key.publicKey, source))
  return judgeSigner(context, hint, () => holds)
}

/**
 * Checks the signature with the key in the bundle's certificate, which is not trusted yet, because the bytes come as a
 * stream; the answer is whether a key that will be trusted is the one that made it.
 */
async function checkSignature(bundle: DecodedBundle, source: () => Readable): Promise<(key: KeyObject) => boolean> {
  const leaf = keyOf(bundle)
  const holds = await isSignedBy(bundle, leaf, source)
  return (key) => holds && key.equals(leaf)
}

function keyOf({certificate}: DecodedBundle): KeyObject {
  try {
    return new X509Certificate(certificate ?? Buffer.alloc(0)).publicKey
  } catch (cause) {
    throw malformed('its certificate cannot be read', cause)
  }
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

const BY_KEY = 'give the public key of the signer with --key'
const BY_IDENTITY = 'name the signer: --certificate-identity WHO --certificate-oidc-issuer URL --trusted-root FILE'

function otherSigner(message: string, hint?: string): AtomError {
  return new AtomError('SIGNER_UNTRUSTED', message, hint === undefined ? {} : {hint})
}

function notSigned(): AtomError {
  return tampered('the signature does not match these bytes and this key')
}

/**
 * Verifies a bare signature, base64 text without a bundle, as older cosigns write it with `--output-signature`.
 * Throws SIGNATURE_MALFORMED, WPK_TAMPERED, KEY_INVALID.
 */
export async function verifyBareSignature(
  text: string,
  source: () => Readable,
  publicKeyPem: string,
): Promise<VerifiedArtifact> {
  const key = checkVerifiable(parsePublicKey(publicKeyPem))
  const signature = decodeBase64(text.trim())
  if (!signature?.length) throw malformed('the file is not a signature in base64')
  if (!(await isBareSignature(signature, key, source))) throw notSigned()
  return {signers: [{fingerprint: fingerprintOfHint(hintOf(key))}], warnings: []}
}
