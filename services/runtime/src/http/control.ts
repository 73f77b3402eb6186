import {approveRequest, rejectRequest} from '@atomctl/protocol/runtime'
import {checkFreeze} from '../safety.ts'
import type {ExecutionRow} from '../store/tables.ts'
import {approvalView, auditView} from '../store/views.ts'
import {executionPath, findExecution} from './executions.ts'
import type {App, Services} from './server.ts'

/** What people decide about executions (our extras): approve, reject, and the record of who did what. */
export function addControlRoutes(app: App, services: Services): void {
  const {approvals, admission} = services
  const decision = {config: {permission: 'approve'}} as const
  app.post(
    '/execute/:id/approve',
    {...decision, schema: {params: executionPath, body: approveRequest.nullish()}},
    async (request) => {
      const {id} = await findExecution(services, request.params.id)
      // It would start at once.
      checkFreeze(await admission.safety(), new Date())
      return reply(await approvals.approve(id, request.identity, request.body ?? {}))
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
  app.get('/execute/:id/audit', {schema: {params: executionPath}}, async (request) => {
    const {id} = await findExecution(services, request.params.id)
    return {execution_id: id, entries: (await services.executions.audit(id)).map(auditView)}
  })
}

function reply(row: ExecutionRow): object {
  return {execution_id: row.id, status: row.status, approval: approvalView(row)}
}
