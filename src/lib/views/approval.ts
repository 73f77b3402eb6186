import type {DecisionReply, Execution} from '@atomctl/protocol/runtime'
import {approversOf, awaitedApproval} from '@atomctl/sdk/execution'
import {printable, type View} from '@atomctl/sdk/output'
import {instant} from './list.ts'

/** What an execution waits for, who may give it, and how; empty when it waits for nobody. */
export function waitingLines(execution: Execution): string[] {
  const approval = awaitedApproval(execution)
  if (!approval) return []
  const id = printable(execution.execution_id)
  return [
    `  Waits for approval: ${approval.approvals.length} of ${approval.quorum}, until ${instant(approval.expires_at)}`,
    `    Why: ${printable(approval.reason)}`,
    `    Who: ${approversOf(approval)}`,
    `    Document: ${printable(approval.document_digest)}`,
    `    Parameters: ${printable(approval.parameters_digest)}`,
    `    How: atomctl approve ${id}, or atomctl reject ${id} --reason TEXT`,
  ]
}

/** What was decided, by whom. */
export function decidedLines({approval}: Execution): string[] {
  if (!approval) return []
  const {rejection} = approval
  const said = (verb: string, {by, at, reason}: (typeof approval.approvals)[number]): string =>
    `  ${verb}: ${printable(by)} at ${instant(at)}${reason ? ` (${printable(reason)})` : ''}`
  return [
    ...approval.approvals.map((given) => said('Approved', given)),
    ...(rejection ? [said('Rejected', rejection)] : []),
  ]
}

/** The answer to approve and reject. */
export const decisionView: View<DecisionReply> = {
  kind: 'Execution',
  text: ({execution_id: id, status, approval}, style) => {
    const {state, approvals, quorum} = approval
    const words = state === 'waiting' ? `Approval ${approvals.length} of ${quorum} recorded` : `Execution ${state}`
    return [
      `${style.good('[SUCCESS]')} ${words}`,
      `  Execution ID: ${printable(id)}`,
      `  Status: ${printable(status)}`,
      `  Document: ${printable(approval.document_digest)}`,
      `  Parameters: ${printable(approval.parameters_digest)}`,
    ].join('\n')
  },
  names: ({execution_id: id}) => [id],
}
