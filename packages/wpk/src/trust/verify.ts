import type {KeyObject} from 'node:crypto'
import type {ArchiveFileInfo} from '../archive/members.ts'
import {documentDigest} from '../canonical.ts'
import type {WpkDocument} from '../document/index.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {bundlesOf} from '../signing/embedded.ts'
import {malformed} from '../signing/malformed.ts'
import {type ReadSignature, readSignature} from '../signing/read.ts'
import type {SignedFile} from '../signing/statement.ts'
import type {Provenance} from '../signing/provenance.ts'
import {isEnvelopeSignedBy} from '../signing/verify.ts'
import {judgeCertified} from './certified.ts'
import {checkContent, checkExpected, checkSameFiles, type Expected} from './content.ts'
import {Judgement} from './levels.ts'
import type {TrustPolicy} from './policy.ts'
import {bestProvenance, checkBinding, checkProvenance, type Judged, judgeSigner} from './judge.ts'
import {countSigners} from './quorum.ts'
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
 * Checks a document, and the files around it, against the trust policy. The only maker of `VerifiedDocument`. Of several
 * signatures all must be over exactly this content, and enough of them by different people whom the rule trusts.
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
  const digest = documentDigest(document.value)
  const now = options.now ?? new Date()
  const context: Context = {document, digest, policy, rule, subject, judgement, options, now}
  const {signers, files, provenance} = rule.level === 'skip' ? skip(context) : examine(context)
  return createVerified(document, digest, {
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
  readonly digest: string
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
  const [first, ...others] = readSigned(context)
  if (!first) return NOTHING
  const {files} = first.statement
  const judged = [first, ...others].map((signature) => ({...judge(context, signature), ...signature}))
  const counted = countSigners(context, judged, rule.threshold)
  if (counted.length === 0) return {signers: [], files}
  for (const {statement} of counted) checkBinding(context, statement.registry)
  const provenance = bestProvenance(counted.map(({statement}) => statement.provenance))
  checkProvenance(context, provenance)
  return {signers: counted.map(({signer}) => signer), files, provenance}
}

function judge(context: Context, {bundle, envelope}: ReadSignature): Judged {
  const isSignedBy = (key: KeyObject): boolean => isEnvelopeSignedBy(envelope, key)
  const {keyHint} = bundle
  if (keyHint !== undefined) return judgeSigner(context, keyHint, isSignedBy)
  return judgeCertified(context, bundle, isSignedBy)
}

/** The signatures of the document when there are any, all can be read, and all are about exactly this content. */
function readSigned(context: Context): readonly ReadSignature[] {
  const {document, digest, judgement, options} = context
  try {
    const signatures = bundlesOf(document.value).map(readSignature)
    if (signatures.length === 0) judgement.fail('present', unsigned(document))
    for (const {statement} of signatures) checkContent(document, digest, statement, options.files)
    checkSameFiles(signatures.map(({statement}) => statement))
    noteUnchecked(context, signatures)
    return signatures
  } catch (error) {
    if (isAtomError(error) && error.code === 'WPK_UNSIGNED') throw error
    // Fail closed: whatever an evil bundle makes the code below throw, it is a signature that was not understood.
    judgement.fail('integrity', isAtomError(error) ? error : malformed('it cannot be read', error))
    return []
  }
}

function noteUnchecked({judgement, options}: Context, signatures: readonly ReadSignature[]): void {
  const covered = signatures[0]?.statement.files.length ?? 0
  if (!options.files && covered > 0)
    judgement.warn(`the signature covers ${covered} further files, which were not at hand to check`)
  if (signatures.some(({bundle: {keyHint, hasWitnesses}}) => keyHint !== undefined && hasWitnesses))
    judgement.warn(WITNESSES_IGNORED)
}

function unsigned(document: WpkDocument): AtomError {
  return new AtomError('WPK_UNSIGNED', `${document.source} has no signature`, {
    hint: `atomctl sign ${document.source}`,
  })
}
