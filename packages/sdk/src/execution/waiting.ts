import type {Approval, Execution} from '@atomctl/protocol/runtime'
import {AtomError} from '../errors.ts'
import {printable} from '../output/index.ts'

/** The approval that an execution waits for; undefined when it waits for none. */
export function awaitedApproval({status, approval}: Pick<Execution, 'status' | 'approval'>): Approval | undefined {
  return status === 'pending' && approval?.state === 'waiting' ? approval : undefined
}

/** Who has to approve, in words. */
export function approversOf({requested_by: by, self_approval: isSelf}: Approval): string {
  const who = 'someone with the role approver or admin'
  if (isSelf) return `${who}; on this single-user runtime also who asked for it`
  return by === undefined ? `${who}, not who asked for it` : `${who} who is not ${printable(by)}`
}

/** One line for a person who waits. */
export function describeWaiting(execution: Execution, approval: Approval): string {
  const count = `${approval.approvals.length} of ${approval.quorum}`
  const command = `atomctl approve ${printable(execution.execution_id)}`
  return `… waits for approval (${count}) by ${approversOf(approval)}: ${command}`
}

/** What `run` ends with when nobody waits: the execution is stored and does not run yet (exit code 8). */
export function approvalPending({execution_id: id}: Execution, approval: Approval): AtomError {
  return new AtomError('APPROVAL_PENDING', `The execution waits for approval: ${approval.reason}`, {
    hint: `atomctl approve ${id}`,
    details: {execution_id: id, expires_at: approval.expires_at},
  })
}
