import type {KeyObject} from 'node:crypto'
import {AtomError} from '../errors.ts'
import type {Provenance} from '../signing/provenance.ts'
import {fingerprintOfHint} from '../signing/public-key.ts'
import {normalizeRegistry} from '../signing/registry.ts'
import {adviseSigners, type Stranger} from './advice.ts'
import {tampered} from './content.ts'
import type {Check, Judgement} from './levels.ts'
import type {TrustedKey, TrustPolicy} from './policy.ts'
import {DEFAULT_RULE, type Subject} from './rules.ts'
import type {TrustRule} from './schema.ts'
import type {SignedBy} from './verified.ts'

export interface SignerContext {
  readonly policy: TrustPolicy
  readonly rule: TrustRule
  readonly subject: Subject
  readonly judgement: Judgement
  readonly now: Date
}

/** Why a signature does not count, and, when only the policy is missing somebody, whom. */
export interface Rejection {
  readonly check: Check
  readonly error: AtomError
  readonly stranger?: Stranger
}

/** What came of judging one signature. */
export type Judged = Rejection | {readonly signer: SignedBy}

export function isAccepted<T extends Judged>(judged: T): judged is T & {readonly signer: SignedBy} {
  return 'signer' in judged
}

/** Who signed, when the key that the bundle names is known, really made the signature and may sign this package. */
export function judgeSigner(context: SignerContext, hint: string, isSignedBy: (key: KeyObject) => boolean): Judged {
  const {policy, rule, judgement, now} = context
  const key = policy.keysByHint.get(hint)
  const stranger = {check: 'trust', error: untrusted(context, hint), stranger: {hint}} as const
  if (!key) return stranger
  if (!isSignedBy(key.publicKey)) {
    return {check: 'integrity', error: tampered(`the signature was not made with the key ${key.name} that it names`)}
  }
  if (key.revoked) return {check: 'revocation', error: revoked(key)}
  if (!isNamed(rule, key)) return stranger
  if (key.notAfter && now > key.notAfter) {
    const error = expired(key, key.notAfter)
    if (judgement.enforces('validity')) return {check: 'validity', error}
    judgement.fail('validity', error)
  }
  return {signer: {key: key.name, fingerprint: fingerprintOfHint(hint)}}
}

/** A statement made for one registry holds only there; a rule with `bindRegistry` wants every statement so made. */
export function checkBinding({rule, subject, judgement}: SignerContext, bound: string | undefined): void {
  const asked = subject.registry === undefined ? undefined : normalizeRegistry(subject.registry)
  if (bound === undefined) {
    if (rule.bindRegistry)
      judgement.fail('binding', tampered(`the signature names no registry; rule ${rule.name} wants one`))
  } else if (asked !== undefined && normalizeRegistry(bound) !== asked) {
    judgement.fail('binding', tampered(`the signature is for the registry ${bound}, not for ${asked}`))
  }
}

/** A rule with `requireProvenance` wants to know the commit, and that the package is what was committed. */
export function checkProvenance({rule, subject, judgement}: SignerContext, provenance: Provenance | undefined): void {
  if (!rule.requireProvenance) return
  const {source} = provenance ?? {}
  if (source && !source.dirty) return
  const found = source
    ? `was built from changes on top of commit ${source.commit}`
    : 'does not say which commit it was built from'
  const error = new AtomError('SIGNER_UNTRUSTED', `${subject.name} ${found}; rule ${rule.name} requires provenance`, {
    hint: 'commit everything, then sign it with: atomctl sign FILE --provenance',
    details: {rule: rule.name},
  })
  judgement.fail('trust', error)
}

function isNamed(rule: TrustRule, key: TrustedKey): boolean {
  return rule.signers.some((signer) => 'keys' in signer && signer.keys.includes(key.name))
}

/** Of what several signers state: what says from which commit everything comes, else the first. */
export function bestProvenance(stated: readonly (Provenance | undefined)[]): Provenance | undefined {
  const given = stated.filter((one) => one !== undefined)
  return given.find(({source}) => source?.dirty === false) ?? given.find(({source}) => source) ?? given[0]
}

function untrusted(context: SignerContext, hint: string): AtomError {
  const {policy, rule, subject} = context
  const known = policy.keysByHint.get(hint)
  const unmatched = rule.name === DEFAULT_RULE && subject.registry === undefined && policy.rules.length > 0
  const note = unmatched ? '; rules for certain registries do not apply to a local file' : ''
  const who = known ? `key ${known.name} (${fingerprintOfHint(hint)})` : `unknown key ${fingerprintOfHint(hint)}`
  return new AtomError(
    'SIGNER_UNTRUSTED',
    `${subject.name} is signed by the ${who}, which rule ${rule.name} does not trust${note}`,
    {
      hint: adviseSigners(policy, rule, subject, [{hint}]),
      details: {fingerprint: fingerprintOfHint(hint), rule: rule.name},
    },
  )
}

function revoked(key: TrustedKey): AtomError {
  return new AtomError('SIGNER_REVOKED', `the signing key ${key.name} is revoked by the trust policy`, {
    hint: 'sign again with a current key: atomctl sign FILE --key cosign.key',
    details: {key: key.name},
  })
}

/** A signature by key carries no trusted time, so the key has to be valid at the moment of verification. */
function expired(key: TrustedKey, notAfter: Date): AtomError {
  return new AtomError('SIGNER_EXPIRED', `the signing key ${key.name} was valid until ${notAfter.toISOString()}`, {
    hint: 'sign again with a current key: atomctl sign FILE --key cosign.key',
    details: {key: key.name, notAfter: notAfter.toISOString()},
  })
}
