// A room with its own entry, `@atomctl/wpk/trust/policy-check`: only those who look at a policy load it.
import type {Finding} from '../../document/index.ts'
import {readSmallFile} from '../policy.ts'
import {checkKeys} from './keys.ts'
import {checkReferences} from './references.ts'
import {checkScopes} from './scopes.ts'
import {readShape} from './shape.ts'

export {explainTrust, type ExplainedSigner, type TrustExplanation} from './explain.ts'
export {STARTER_POLICY} from './starter.ts'

/** What there is to say about a trust policy file. */
export interface PolicyReport {
  readonly file: string
  readonly findings: readonly Finding[]
  readonly keys: number
  readonly rules: number
}

/**
 * Everything wrong or doubtful about a policy file, each with its place: where loading it stops at the first error.
 * An error finding is what `loadTrustPolicy`, or a package that two rules tie for, would refuse; a warning is sound and
 * seldom meant. Throws TRUST_POLICY_INVALID when the file cannot be read at all.
 */
export async function checkTrustPolicy(file: string, now: Date = new Date()): Promise<PolicyReport> {
  const {parsed, findings} = readShape(await readSmallFile(file, file), file)
  if (!parsed) return {file, findings, keys: 0, rules: 0}
  const {keys, rules} = parsed.policy
  const all = [...checkReferences(parsed), ...(await checkKeys(parsed, now)), ...checkScopes(parsed)]
  return {file, findings: all.toSorted(byPlace), keys: Object.keys(keys).length, rules: rules.length}
}

function byPlace(left: Finding, right: Finding): number {
  const [one, other] = [left.position, right.position]
  return (one?.line ?? 0) - (other?.line ?? 0) || (one?.column ?? 0) - (other?.column ?? 0)
}
