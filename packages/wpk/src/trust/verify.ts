import type {KeyObject} from 'node:crypto'
import type {ArchiveFileInfo} from '../archive/members.ts'
import {documentDigest} from '../canonical.ts'
import type {WpkDocument} from '../document/index.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {type DecodedBundle, decodeBundle, type EnvelopeContent} from '../signing/bundle.ts'
import {bundleOf} from '../signing/embedded.ts'
import {PAYLOAD_TYPE} from '../signing/envelope.ts'
import {malformed} from '../signing/malformed.ts'
import {readStatement, type SignedFile, type Statement} from '../signing/statement.ts'
import type {Provenance} from '../signing/provenance.ts'
import {isEnvelopeSignedBy} from '../signing/verify.ts'
import {judgeCertified} from './certified.ts'
import {checkContent, checkExpected, type Expected} from './content.ts'
import {Judgement} from './levels.ts'
import type {TrustPolicy} from './policy.ts'
import {checkBinding, checkProvenance, judgeSigner} from './judge.ts'
import {type Subject, selectRule} from './rules.ts'
import type {TrustRule} from './schema.ts'
import {createVerified, type SignedBy, type VerifiedDocument, WITNESSES_IGNORED} from './verified.ts'

export interface VerifyOptions {
  /** URL of the registry the package comes from or goes to; undefined for a local file. */
  readonly registry?: string
  /** What the archive around the document holds besides it; leave out when there is only the document. */
  readonly files?: readonly ArchiveFileInfo[]
  /** What was asked for, such as the id given on the command line. */
  readonly expect?: Expected
  /** The moment for which key expiry is judged; now unless given. */
  readonly now?: Date
}

/**
 * Checks a document, and the files around it, against the trust policy. The only maker of `VerifiedDocument`.
 * Throws WPK_UNSIGNED, WPK_TAMPERED, SIGNATURE_MALFORMED, SIGNER_UNTRUSTED (its hint holds the policy lines that
 * would trust the signer), SIGNER_EXPIRED, SIGNER_REVOKED, and TRUST_POLICY_INVALID when two rules tie.
 */
export function verifyDocument(
  document: WpkDocument,
  policy: TrustPolicy,
  options: VerifyOptions = {},
): VerifiedDocument {
  checkExpected(document, options.expect ?? {})
  const subject: Subject = {name: document.name, registry: options.registry}
  const rule = selectRule(policy, subject)
  const judgement = new Judgement(rule.level)
  const context: Context = {document, policy, rule, subject, judgement, options, now: options.now ?? new Date()}
  const {signers, files, provenance} = rule.level === 'skip' ? skip(context) : examine(context)
  return createVerified(document, documentDigest(document.value), {
    level: rule.level,
    rule: rule.name,
    signers,
    warnings: judgement.warnings,
    files,
    ...(provenance === undefined ? {} : {provenance}),
  })
}

interface Context {
  readonly document: WpkDocument
  readonly policy: TrustPolicy
  readonly rule: TrustRule
  readonly subject: Subject
  readonly judgement: Judgement
  readonly options: VerifyOptions
  readonly now: Date
}

interface Outcome {
  readonly provenance?: Provenance | undefined
  readonly signers: readonly SignedBy[]
  readonly files: readonly SignedFile[]
}

const NOTHING: Outcome = {signers: [], files: []}

function skip({rule, judgement}: Context): Outcome {
  judgement.warn(`NOT VERIFIED: rule ${rule.name} of the trust policy skips all signature checks`)
  return NOTHING
}

function examine(context: Context): Outcome {
  const {rule, judgement} = context
  if (rule.level === 'audit') judgement.warn(`NOT ENFORCED: rule ${rule.name} of the trust policy only reports`)
  const signed = readSigned(context)
  if (!signed) return NOTHING
  const {statement} = signed
  const signer = judge(context, signed)
  if (!signer) return {signers: [], files: statement.files}
  checkBinding(context, statement.registry)
  checkProvenance(context, statement.provenance)
  return {signers: [signer], files: statement.files, provenance: statement.provenance}
}

function judge(context: Context, {bundle, envelope}: Signed): SignedBy | undefined {
  const isSignedBy = (key: KeyObject): boolean => isEnvelopeSignedBy(envelope, key)
  const {keyHint} = bundle
  if (keyHint !== undefined) return judgeSigner(context, keyHint, isSignedBy)
  return judgeCertified(context, bundle, isSignedBy)
}

interface Signed {
  readonly bundle: DecodedBundle
  readonly envelope: EnvelopeContent
  readonly statement: Statement
}

/** The signature of the document when there is one, it can be read, and it is about exactly this content. */
function readSigned(context: Context): Signed | undefined {
  const {document, judgement, options} = context
  try {
    const embedded = bundleOf(document.value)
    if (!embedded) return judgement.fail('present', unsigned(document))
    const signed = decodeSigned(embedded.bundle, context)
    checkContent(document, signed.statement, options.files, judgement)
    return signed
  } catch (error) {
    if (isAtomError(error) && error.code === 'WPK_UNSIGNED') throw error
    // Fail closed: whatever an evil bundle makes the code below throw, it is a signature that was not understood.
    judgement.fail('integrity', isAtomError(error) ? error : malformed('it cannot be read', error))
    return undefined
  }
}

function decodeSigned(json: object, {judgement}: Context): Signed {
  const bundle = decodeBundle(json)
  const {keyHint, content, hasWitnesses} = bundle
  if (content.kind !== 'envelope' || content.payloadType !== PAYLOAD_TYPE)
    throw malformed('it holds no in-toto statement')
  if (keyHint !== undefined && hasWitnesses) judgement.warn(WITNESSES_IGNORED)
  return {bundle, envelope: content, statement: readStatement(content.payload)}
}

function unsigned(document: WpkDocument): AtomError {
  return new AtomError('WPK_UNSIGNED', `${document.source} has no signature`, {
    hint: `atomctl sign ${document.source}`,
  })
}
