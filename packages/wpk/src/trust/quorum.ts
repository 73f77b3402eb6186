import {AtomError} from '../errors.ts'
import {adviseSigners} from './advice.ts'
import {isAccepted, type Judged, type Rejection, type SignerContext} from './judge.ts'
import type {SignedBy} from './verified.ts'

type Accepted<T extends Judged> = T & {readonly signer: SignedBy}

/**
 * The signatures that count: each by another signer, and as many as `wanted`. One that was made over something else
 * or not by whom it names refuses the package, however many good ones stand beside it; one by somebody who is not
 * trusted, revoked or expired just does not count. Failures go to the judgement.
 */
export function countSigners<T extends Judged>(
  context: SignerContext,
  judged: readonly T[],
  wanted: number,
): Accepted<T>[] {
  const {judgement} = context
  const rejections = judged.flatMap((one) => (isAccepted(one) ? [] : [one as Rejection]))
  for (const {check, error} of rejections) if (check === 'integrity') judgement.fail(check, error)
  const counted: Accepted<T>[] = []
  const others = rejections.filter(({check}) => check !== 'integrity')
  for (const one of judged.filter((each): each is Accepted<T> => isAccepted(each))) {
    if (counted.some(({signer}) => isSame(signer, one.signer))) others.push(repeated(one.signer))
    else counted.push(one)
  }
  if (counted.length < wanted) failQuorum(context, judged.length, counted, others, wanted)
  else for (const {error} of others) judgement.warn(`a further signature does not count: ${error.message}`)
  return counted
}

/** One key, or one person, counts once, however often they signed. */
function isSame(one: SignedBy, other: SignedBy): boolean {
  if (one.fingerprint === other.fingerprint) return true
  return one.identity !== undefined && one.identity === other.identity && one.issuer === other.issuer
}

function repeated({key, identity, fingerprint}: SignedBy): Rejection {
  const who = identity ?? key ?? fingerprint
  return {check: 'trust', error: new AtomError('SIGNER_UNTRUSTED', `${who} signed more than once, which counts once`)}
}

/** What decides the code when several signatures do not count: the first of these. */
const GRAVITY = ['revocation', 'validity', 'trust'] as const

function failQuorum(
  context: SignerContext,
  signatures: number,
  counted: readonly {readonly signer: SignedBy}[],
  rejections: readonly Rejection[],
  wanted: number,
): void {
  const {judgement} = context
  const [only] = rejections
  if (wanted === 1 && signatures === 1 && only) return judgement.fail(only.check, only.error)
  // Every signature was of no use in itself, which the level let through and said: there is nothing to count.
  if (counted.length + rejections.length === 0) return
  judgement.fail('trust', shortOf(context, counted, rejections, wanted))
}

function shortOf(
  context: SignerContext,
  counted: readonly {readonly signer: SignedBy}[],
  rejections: readonly Rejection[],
  wanted: number,
): AtomError {
  const {policy, rule, subject} = context
  const gravest = GRAVITY.flatMap((check) => rejections.filter((one) => one.check === check))[0]
  const names = counted.map(({signer}) => signer.key ?? signer.identity ?? signer.fingerprint)
  const who = names.length === 0 ? '' : ` (${names.join(', ')})`
  const reasons = rejections.map(({error}) => `; ${error.message}`).join('')
  const message = `${subject.name} has ${counted.length} of the ${wanted} signatures by different signers that rule ${rule.name} requires${who}${reasons}`
  const strangers = rejections.flatMap(({stranger}) => (stranger ? [stranger] : []))
  const append = 'another signer of the rule adds theirs with: atomctl sign FILE --append --key KEY'
  const hint = strangers.length === 0 ? append : `${append}\n${adviseSigners(policy, rule, subject, strangers)}`
  return new AtomError(gravest?.error.code ?? 'SIGNER_UNTRUSTED', message, {
    hint,
    details: {rule: rule.name, threshold: wanted, signers: names},
  })
}
