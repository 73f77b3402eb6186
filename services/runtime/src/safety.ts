import type {Approval} from '@atomctl/protocol/runtime'
import type {LintReport} from '@atomctl/wpk/lint'
import type {Identity} from './identity.ts'
import type {SafetyRules} from './options.ts'
import type {Program} from './program.ts'
import {refusalOf, refuse} from './refusal.ts'

const DEFAULT_EXPIRY_MS = 24 * 3_600_000

/** Why an execution has to wait for somebody. */
export type ApprovalNeed = Pick<Approval, 'required_by' | 'reason'>

/** Nothing runs by itself from the policy's threshold on; the package itself may ask for more. */
export function approvalNeed(program: Program, report: LintReport): ApprovalNeed | undefined {
  if (program.approvalRequired)
    return {required_by: 'package', reason: 'The package asks for an approval (safety.approval_required)'}
  if (report.decision !== 'review' || program.mode !== 'auto') return undefined
  return {required_by: 'policy', reason: `Risk score ${report.score} needs an approval in auto mode`}
}

/** The rules as they are now. Throws 503 when they cannot be read: without them nothing starts. */
export async function readSafety(source: () => SafetyRules | Promise<SafetyRules>): Promise<SafetyRules> {
  try {
    return await source()
  } catch (error) {
    throw refusalOf(error, 503)
  }
}

/** Throws 403 in a time in which nothing starts. */
export function checkFreeze({freezes = []}: SafetyRules, now: Date): void {
  const frozen = freezes.find(({from, to}) => from <= now && now < to)
  if (!frozen) return
  const until = frozen.to.toISOString()
  throw refuse(
    403,
    'DENIED',
    `Nothing starts before ${until}: ${frozen.reason}`,
    'Wait, or let an administrator run it in spite of that: --break-glass REASON',
  )
}

/** Throws 403 for anybody but an administrator. */
export function checkBreakGlass({name, role}: Identity): void {
  if (role === 'admin') return
  throw refuse(403, 'DENIED', `${name} has the role ${role}; only an administrator may break the glass`)
}

/** The approval of an execution that begins to wait. */
export function openApproval(
  need: ApprovalNeed,
  digests: Pick<Approval, 'document_digest' | 'parameters_digest'>,
  {quorum = 1, approvalExpiryMs = DEFAULT_EXPIRY_MS}: SafetyRules,
  options: {now: Date; requestedBy: string; selfApproval: boolean},
): Approval {
  const expires = new Date(options.now.getTime() + approvalExpiryMs)
  return {
    state: 'waiting',
    ...need,
    quorum,
    approvals: [],
    rejection: null,
    expires_at: expires.toISOString(),
    ...digests,
    requested_by: options.requestedBy,
    self_approval: options.selfApproval,
  }
}
