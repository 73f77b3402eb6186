import type {Finding} from '../../document/index.ts'
import type {ParsedPolicy} from '../parse.ts'

/** The rules of `trust-policy check`; docs/trust-policy.md lists them. */
export type PolicyRule =
  | 'policy_reference'
  | 'policy_key'
  | 'policy_tie'
  | 'policy_overlap'
  | 'policy_scope'
  | 'policy_level'
  | 'policy_signers'
  | 'policy_unused'

/** A finding at a place of the policy. */
export function findingAt(
  {locate}: ParsedPolicy,
  path: string,
  facts: {rule: PolicyRule; severity: Finding['severity']; message: string; suggestion?: string},
): Finding {
  const position = locate(path)
  return {...facts, path, ...(position ? {position} : {})}
}
