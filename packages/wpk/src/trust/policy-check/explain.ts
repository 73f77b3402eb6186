import {fingerprintOfHint} from '../../signing/public-key.ts'
import type {Level} from '../levels.ts'
import type {TrustPolicy} from '../policy.ts'
import {DEFAULT_RULE, selectRule, specificityOf, type Subject} from '../rules.ts'
import type {TrustRule} from '../schema.ts'

/** Someone whose signature the deciding rule accepts. */
export interface ExplainedSigner {
  /** Name of a key in the policy. */
  readonly key?: string
  readonly fingerprint?: string
  /** Identity and issuer of a keyless signer. */
  readonly identity?: string
  readonly issuer?: string
  /** Why this signer's signature would be refused now: `revoked`, or `expired at …`. */
  readonly problem?: string
}

/** Which rule of a policy decides about a package, and what it asks for. */
export interface TrustExplanation {
  readonly policy?: string
  readonly rule: string
  readonly level: Level
  readonly scope: {readonly packages: readonly string[]; readonly registries: readonly string[]}
  readonly signers: readonly ExplainedSigner[]
  readonly threshold: number
  readonly bindRegistry: boolean
  readonly requireProvenance: boolean
  /** Rules that are for this package too, and less specific. */
  readonly others: readonly string[]
}

/** Throws TRUST_POLICY_INVALID when two rules tie for the package. */
export function explainTrust(policy: TrustPolicy, subject: Subject, now: Date = new Date()): TrustExplanation {
  const rule = selectRule(policy, subject)
  const others = policy.rules.filter((other) => other.name !== rule.name && specificityOf(other, subject) !== undefined)
  return {
    ...(policy.source === undefined ? {} : {policy: policy.source}),
    rule: rule.name,
    level: rule.level,
    scope: rule.scope,
    signers: signersOf(policy, rule, now),
    threshold: rule.threshold,
    bindRegistry: rule.bindRegistry,
    requireProvenance: rule.requireProvenance ?? false,
    others: [...others.map(({name}) => name), ...(rule.name === DEFAULT_RULE ? [] : [DEFAULT_RULE])],
  }
}

function signersOf(policy: TrustPolicy, {signers}: TrustRule, now: Date): ExplainedSigner[] {
  return signers.flatMap((signer) => {
    if ('keyless' in signer) return [{identity: signer.keyless.identity, issuer: signer.keyless.issuer}]
    return signer.keys.map((name) => keySigner(policy, name, now))
  })
}

function keySigner(policy: TrustPolicy, name: string, now: Date): ExplainedSigner {
  const key = policy.keys.get(name)
  if (!key) return {key: name}
  const signer = {key: name, fingerprint: fingerprintOfHint(key.hint)}
  if (key.revoked) return {...signer, problem: 'revoked'}
  if (key.notAfter && now > key.notAfter) return {...signer, problem: `expired at ${key.notAfter.toISOString()}`}
  return signer
}
