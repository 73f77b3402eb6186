import type {KeyObject} from 'node:crypto'
import {AtomError} from '../errors.ts'
import type {Provenance} from '../signing/provenance.ts'
import {fingerprintOfHint} from '../signing/public-key.ts'
import {normalizeRegistry} from '../signing/registry.ts'
import {adviseTrust} from './advice.ts'
import {tampered} from './content.ts'
import type {Judgement} from './levels.ts'
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

/**
 * Who signed, when the key that the bundle names is known, really made the signature and may sign this package.
 * Every failure goes to the judgement; undefined means that nobody trusted signed.
 */
export function judgeSigner(
  context: SignerContext,
  hint: string,
  isSignedBy: (key: KeyObject) => boolean,
): SignedBy | undefined {
  const {policy, rule, judgement, now} = context
  const key = policy.keysByHint.get(hint)
  if (!key) return judgement.fail('trust', untrusted(context, hint))
  if (!isSignedBy(key.publicKey)) {
    return judgement.fail('integrity', tampered(`the signature was not made with the key ${key.name} that it names`))
  }
  if (key.revoked) return judgement.fail('revocation', revoked(key))
  if (!isNamed(rule, key)) return judgement.fail('trust', untrusted(context, hint))
  if (key.notAfter && now > key.notAfter) judgement.fail('validity', expired(key, key.notAfter))
  if (rule.threshold > 1) judgement.fail('trust', tooFew(rule))
  return {key: key.name, fingerprint: fingerprintOfHint(hint)}
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
      hint: adviseTrust(policy, rule, subject, hint),
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

/** A package carries one signature, which cannot be of two people. */
export function tooFew(rule: TrustRule): AtomError {
  const message = `1 of ${rule.threshold} signatures that rule ${rule.name} requires: a package carries one embedded signature`
  return new AtomError('SIGNER_UNTRUSTED', message, {
    hint: `set threshold: 1 in the rule ${rule.name} of the trust policy`,
    details: {rule: rule.name, threshold: rule.threshold},
  })
}
