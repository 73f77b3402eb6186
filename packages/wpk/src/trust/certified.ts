import type {KeyObject} from 'node:crypto'
import {AtomError, isAtomError} from '../errors.ts'
import type {DecodedBundle} from '../signing/bundle.ts'
import {type Claims, readClaims} from '../signing/certificate.ts'
import {malformed} from '../signing/malformed.ts'
import {fingerprintOfHint, hintOf} from '../signing/public-key.ts'
import {adviseSigners} from './advice.ts'
import {matchesIdentity} from './identity.ts'
import type {Judged, SignerContext} from './judge.ts'
import type {KeylessRule} from './schema.ts'
import {type CertifiedSigner, DEFAULT_THRESHOLDS, type Thresholds} from './trust-root.ts'
import type {SignedBy} from './verified.ts'

/**
 * Who signed a keyless bundle, when its certificate names an identity that the rule trusts, and the trusted root of
 * that rule vouches for it.
 */
export function judgeCertified(
  context: SignerContext,
  bundle: DecodedBundle,
  isSignedBy: (key: KeyObject) => boolean,
): Judged {
  const {rule} = context
  // The claims of the very certificate that is verified below; until then they only choose by whom.
  const claims = attempt(() => readClaims(bundle.certificate ?? Buffer.alloc(0)))
  if (isAtomError(claims)) return {check: 'integrity', error: claims}
  const wanted = rule.signers
    .flatMap((signer) => ('keyless' in signer ? [signer.keyless] : []))
    .filter((keyless) => matchesIdentity(keyless, claims))
  if (wanted.length === 0) return stranger(context, claims)
  let refusal = malformed('nobody vouches for it')
  for (const keyless of wanted) {
    const result = tryRoot(context, keyless, bundle, isSignedBy)
    if (!isAtomError(result)) return {signer: describeCertified(result)}
    refusal = result
  }
  return {check: refusal.code === 'SIGNER_UNTRUSTED' ? 'trust' : 'integrity', error: refusal}
}

function tryRoot(
  {policy}: SignerContext,
  {trustRoot, require = {}}: KeylessRule,
  bundle: DecodedBundle,
  isSignedBy: (key: KeyObject) => boolean,
): CertifiedSigner | AtomError {
  const root = policy.trustRoots?.get(trustRoot)
  if (!root) return malformed(`the trust root ${trustRoot} of the policy was not loaded`)
  const given = Object.entries(require).filter(([, count]) => count !== undefined)
  const thresholds: Thresholds = {...DEFAULT_THRESHOLDS, ...Object.fromEntries(given)}
  return attempt(() => root.verifyCertified(bundle, isSignedBy, thresholds))
}

/** What the work returns, or the error that it fails with. Fails closed, whatever is thrown. */
function attempt<T>(work: () => T): T | AtomError {
  try {
    return work()
  } catch (error) {
    return isAtomError(error) ? error : malformed('it cannot be verified', error)
  }
}

/** What a verification reports about a keyless signer. */
export function describeCertified({identity, issuer, publicKey, signedAt}: CertifiedSigner): SignedBy {
  const fingerprint = fingerprintOfHint(hintOf(publicKey))
  return {fingerprint, identity, issuer, signedAt: signedAt.toISOString()}
}

function stranger(context: SignerContext, claims: Claims): Judged {
  const {policy, rule, subject} = context
  const who = `${JSON.stringify(claims.identity)} (issuer ${JSON.stringify(claims.issuer)})`
  const error = new AtomError(
    'SIGNER_UNTRUSTED',
    `${subject.name} says it is signed by ${who}, whom rule ${rule.name} does not trust`,
    {hint: adviseSigners(policy, rule, subject, [claims]), details: {...claims, rule: rule.name}},
  )
  return {check: 'trust', error, stranger: claims}
}
