import {
  type CancelReply,
  cancelReply,
  type DecisionReply,
  decisionReply,
  type Execution,
  type ExecutionStarted,
  executionStarted,
  rollbackReply,
} from '@atomctl/protocol/runtime'
import {randomUUID} from 'node:crypto'
import {encodeSegment, notSupported, readJson, type RequestBody, type Service} from '../http/index.ts'
import {executionPath} from './executions.ts'

/** What an approver looked at: the decision is refused when the execution has other digests. */
export type SeenDigests = Pick<Execution, 'document_digest' | 'parameters_digest'>

/** Cancelling twice is cancelling once, so a lost answer is asked for again. */
export async function cancelExecution(service: Service, id: string): Promise<CancelReply> {
  const path = `${executionPath(id)}/cancel`
  if (!(await service.supports('cancel'))) {
    throw notSupported(service, 'cannot cancel executions', `it ends by itself: atomctl status ${id} --watch`)
  }
  return readJson(await service.request({method: 'POST', path, idempotent: true}), cancelReply)
}

/** Approves or rejects an execution that waits. @throws NOT_SUPPORTED, DENIED, CONFLICT */
export async function decideExecution(
  service: Service,
  id: string,
  verb: 'approve' | 'reject',
  about: SeenDigests & {reason?: string | undefined},
): Promise<DecisionReply> {
  if (!(await service.supports('approvals'))) {
    throw notSupported(service, 'takes no approvals', 'approve where the execution was asked for')
  }
  const {reason, document_digest: document, parameters_digest: parameters} = about
  const body = jsonBody({reason, document_digest: document, parameters_digest: parameters})
  return readJson(await service.request({method: 'POST', path: `${executionPath(id)}/${verb}`, body}), decisionReply)
}

/** An original runtime answers "Rollback started" and does nothing (protocol section 3.5), so it is not asked. */
export async function rollbackExecution(service: Service, id: string): Promise<void> {
  const path = `/rollback/${encodeSegment(id)}`
  if ((await service.discover()) === undefined) {
    throw notSupported(
      service,
      'accepts rollbacks and performs none',
      'undo the steps by hand, or use a runtime of atomctl',
    )
  }
  readJson(await service.request({method: 'POST', path}), rollbackReply)
}

/** Starts a new execution that carries an ended one on. @throws NOT_SUPPORTED, CONFLICT */
export async function retryExecution(
  service: Service,
  id: string,
  from: string | undefined,
): Promise<ExecutionStarted> {
  if (!(await service.supports('retry'))) {
    throw notSupported(service, 'cannot retry executions', 'start it anew: atomctl run WORKFLOW')
  }
  const headers = {'idempotency-key': randomUUID()}
  const path = `${executionPath(id)}/retry`
  const request = {method: 'POST', path, headers, idempotent: true, body: jsonBody({from})} as const
  return readJson(await service.request(request), executionStarted)
}

function jsonBody(value: object): RequestBody {
  const bytes = Buffer.from(JSON.stringify(value))
  return {contentType: 'application/json', length: bytes.length, open: () => bytes}
}
