import type {Approval} from '@atomctl/protocol/runtime'
import {checkApprover, checkExpiry, withApproval, withRejection} from '../decisions.ts'
import {openApproval, type ApprovalNeed} from '../safety.ts'
import type {RehearsalClock} from './clock.ts'

/** What a person does about an execution that waits. */
export interface RehearsedDecision {
  readonly by: string
  readonly decision: 'approve' | 'reject' | 'expire'
  readonly reason: string | null
  /** Since the execution was asked for, in milliseconds. */
  readonly afterMs: number | undefined
}

export interface ApprovalRequest {
  readonly requestedBy: string
  readonly quorum: number
  readonly decisions: readonly RehearsedDecision[]
}

/** How an execution that has to wait comes out of it; who must not decide is refused with 403 or 409. */
export function decide(need: ApprovalNeed, request: ApprovalRequest, clock: RehearsalClock): Approval {
  const {requestedBy, quorum, decisions} = request
  const digests = {document_digest: 'sha256:rehearsal', parameters_digest: 'sha256:rehearsal'}
  const options = {now: clock.now, requestedBy, selfApproval: false}
  let approval = openApproval(need, digests, {quorum}, options)
  for (const decision of decisions) {
    if (approval.state !== 'waiting') return approval
    approval = step(approval, decision, requestedBy, clock)
  }
  return approval
}

function step(approval: Approval, made: RehearsedDecision, requestedBy: string, clock: RehearsalClock): Approval {
  const {by, decision, reason, afterMs} = made
  const expires = new Date(approval.expires_at)
  const left = expires.getTime() - clock.now.getTime()
  if (decision === 'expire' || (afterMs ?? 0) - clock.elapsedMs >= left) {
    clock.advance(left)
    return {...approval, state: 'expired'}
  }
  clock.advance(Math.max(0, (afterMs ?? clock.elapsedMs) - clock.elapsedMs))
  checkExpiry(expires, clock.now)
  const said = {by, at: clock.now.toISOString(), reason}
  if (decision === 'reject') return withRejection(approval, said)
  checkApprover(by, {requestedBy, selfApproval: false})
  return withApproval(approval, said)
}
