import type {Approval} from '@atomctl/protocol/runtime'
import {refuse} from './refusal.ts'

/** What somebody said about an execution that waits. */
export interface Decision {
  readonly by: string
  /** ISO 8601. */
  readonly at: string
  readonly reason: string | null
}

/** The approval with one more yes, which is the last when enough different people said it. Throws 409. */
export function withApproval(approval: Approval, decision: Decision): Approval {
  const {by} = decision
  if (approval.approvals.some((earlier) => earlier.by === by))
    throw refuse(409, 'CONFLICT', `${by} has approved it already; ${approval.quorum} different people have to`)
  const approvals = [...approval.approvals, {...decision}]
  return {...approval, approvals, state: approvals.length >= approval.quorum ? 'approved' : 'waiting'}
}

export function withRejection(approval: Approval, decision: Decision): Approval {
  return {...approval, state: 'rejected', rejection: {...decision}}
}

/** Throws 409 after the time to approve. */
export function checkExpiry(expires: Date, now: Date): void {
  if (now >= expires) throw refuse(409, 'CONFLICT', `The time to approve it ended at ${expires.toISOString()}`)
}

/** Nobody approves a request of their own, which to take back harms nobody. Throws 403. */
export function checkApprover(by: string, request: {requestedBy: string; selfApproval: boolean}): void {
  if (by !== request.requestedBy || request.selfApproval) return
  throw refuse(403, 'DENIED', `${by} asked for this execution, so somebody else has to approve it`)
}
