import {approveRequest, rejectRequest, retryRequest, type ExecutionRequest} from '@atomctl/protocol/runtime'
import type {JsonObject} from '@atomctl/protocol/values'
import {admit} from '../admission.ts'
import {planRetry} from '../retry.ts'
import {isWaiting} from '../store/progress.ts'
import type {ExecutionRow} from '../store/tables.ts'
import {approvalView, auditView} from '../store/views.ts'
import {accept, executionPath, findExecution, findEarlier, keyOf, startedReply} from './executions.ts'
import type {App, Services} from './server.ts'

/** What people decide about executions (our extras): approve, reject, and the record of who did what. */
export function addControlRoutes(app: App, services: Services): void {
  const {approvals, admission} = services
  const decision = {config: {permission: 'approve'}} as const
  app.post(
    '/execute/:id/approve',
    {...decision, schema: {params: executionPath, body: approveRequest.nullish()}},
    async (request) => {
      const row = await findExecution(services, request.params.id)
      // It would start at once: what was trusted and allowed when it was asked for need not be now.
      if (isWaiting(row)) await admit(requestOf(row), request.identity, admission)
      return reply(await approvals.approve(row.id, request.identity, request.body ?? {}))
    },
  )
  app.post(
    '/execute/:id/reject',
    {...decision, schema: {params: executionPath, body: rejectRequest}},
    async (request) => {
      const {id} = await findExecution(services, request.params.id)
      return reply(await approvals.reject(id, request.identity, request.body))
    },
  )
  app.post('/rollback/:id', {schema: {params: executionPath}}, async (request) => {
    const {id} = await findExecution(services, request.params.id)
    await services.executor.rollBack(id, request.identity)
    return {message: 'Rollback started', execution_id: id}
  })
  addRetryRoute(app, services)
  app.get('/execute/:id/audit', {schema: {params: executionPath}}, async (request) => {
    const {id} = await findExecution(services, request.params.id)
    return {execution_id: id, entries: (await services.executions.audit(id)).map(auditView)}
  })
}

/** The same document and parameters, admitted anew: what was trusted or approved then need not be now. */
function addRetryRoute(app: App, services: Services): void {
  const schema = {params: executionPath, body: retryRequest.nullish()}
  app.post('/execute/:id/retry', {schema}, async (request) => {
    const {executions} = services
    const row = await findExecution(services, request.params.id)
    const requester = {identity: request.identity, key: keyOf(request, `retry ${row.id}`)}
    const earlier = await findEarlier(requester.key, services)
    if (earlier !== undefined) return {...startedReply(await findExecution(services, earlier)), retry_of: row.id}
    const carried = planRetry(row, await executions.steps(row.id), request.body?.from ?? undefined)
    const id = await accept(requestOf(row), requester, services, {of: row.id, carried})
    return {...startedReply(await findExecution(services, id)), retry_of: row.id}
  })
}

/** What was asked for, as if it were now. */
function requestOf(row: ExecutionRow): ExecutionRequest {
  return {
    workflow_id: row.workflow_id,
    wpk_content: JSON.parse(row.document) as JsonObject,
    parameters: JSON.parse(row.parameters) as JsonObject,
    dry_run: false,
  }
}

function reply(row: ExecutionRow): object {
  return {execution_id: row.id, status: row.status, approval: approvalView(row)}
}
