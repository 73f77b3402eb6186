import {createHash, randomUUID} from 'node:crypto'
import {executionQuery, executionRequest, type ExecutionRequest} from '@atomctl/protocol/runtime'
import {canonicalJson} from '@atomctl/wpk/canonical'
import type {FastifyRequest} from 'fastify'
import * as z from 'zod'
import {admit, type Admitted} from '../admission.ts'
import type {Identity} from '../identity.ts'
import {refuse, Refusal} from '../refusal.ts'
import {openApproval, readSafety} from '../safety.ts'
import type {NewAudit} from '../store/audit.ts'
import {plainLine} from '../store/events.ts'
import type {CarriedStep, IdempotencyKey, NewExecution} from '../store/executions.ts'
import {isWaiting} from '../store/progress.ts'
import {storable, type ExecutionRow} from '../store/tables.ts'
import {approvalView, auditView, executionView, stepView} from '../store/views.ts'
import type {App, Services} from './server.ts'

/** Lines in the answer to `GET /execute/{id}`; the whole log is at `/logs/{id}`. */
const STATUS_LINES = 200
const LOG_PAGE = 50_000

export const executionPath = z.object({id: z.string().max(128)})

export function addExecutionRoutes(app: App, services: Services): void {
  app.post('/execute', {schema: {body: executionRequest}}, async (request) => {
    const id = await accept(request.body, {identity: request.identity, key: keyOf(request)}, services)
    return startedReply(await findExecution(services, id))
  })
  app.get('/execute/:id', {schema: {params: executionPath}}, async (request) => {
    const row = await findExecution(services, request.params.id)
    const steps = await services.executions.steps(row.id)
    const lines = await services.events.lastLogs(row.id, STATUS_LINES)
    const audit = await services.executions.audit(row.id)
    return {
      ...executionView(row),
      logs: lines.map(plainLine),
      steps: steps.map(stepView),
      audit: audit.map(auditView),
    }
  })
  app.get('/execute/:id/steps', {schema: {params: executionPath}}, async (request) => {
    const row = await findExecution(services, request.params.id)
    const steps = await services.executions.steps(row.id)
    return {execution_id: row.id, steps: steps.map((step) => ({...stepView(step), output: step.output}))}
  })
  app.get('/executions', {schema: {querystring: executionQuery}}, async (request) => {
    const {limit, cursor} = request.query
    const rows = await services.executions.list(request.query, cursor === undefined ? undefined : readCursor(cursor))
    const last = rows.length > limit ? rows[limit - 1] : undefined
    const executions = rows.slice(0, limit).map(executionView)
    return {executions, next_cursor: last ? Buffer.from(last.ordinal).toString('base64url') : null}
  })
  app.post('/execute/:id/cancel', {schema: {params: executionPath}}, async (request) =>
    cancel(services, request.params.id, request.identity),
  )
  addLogRoute(app, services)
}

function addLogRoute(app: App, services: Services): void {
  const query = z.object({
    after: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(LOG_PAGE).default(LOG_PAGE),
  })
  app.get('/logs/:id', {schema: {params: executionPath, querystring: query}}, async (request) => {
    const row = await findExecution(services, request.params.id)
    const {after, limit} = request.query
    const entries = await services.events.logs(row.id, after, limit)
    const last = entries.length === limit ? entries.at(-1)?.seq : undefined
    return {execution_id: row.id, logs: entries.map(plainLine), entries, next_after: last ?? null}
  })
}

/** The execution that a new one carries on, and the steps it need not do again. */
export interface Retry {
  readonly of: string
  readonly carried: readonly CarriedStep[]
}

/** Throws 404 in the protocol's words. */
export async function findExecution({executions}: Services, id: string): Promise<ExecutionRow> {
  const row = await executions.find(id)
  if (!row) throw refuse(404, 'NOT_FOUND', 'Execution not found', 'atomctl executions')
  return row
}

export function startedReply(row: ExecutionRow): object {
  const approval = approvalView(row)
  if (!approval || !isWaiting(row))
    return {execution_id: row.id, status: 'started', message: 'Workflow execution started'}
  return {execution_id: row.id, status: 'pending', message: 'Workflow execution waits for approval', approval}
}

export interface Requester {
  readonly identity: Identity
  readonly key: IdempotencyKey | undefined
}

/** Stores what is asked for, as an execution of its own or carrying another one on; starts it unless it must wait. */
export async function accept(
  body: ExecutionRequest,
  requester: Requester,
  services: Services,
  retry?: Retry,
): Promise<string> {
  if (services.isClosing())
    throw new Refusal(503, {detail: 'The runtime is stopping', code: 'UNAVAILABLE'}, {'retry-after': '5'})
  checkWorkflowId(body.workflow_id)
  const earlier = await findEarlier(requester.key, services)
  if (earlier !== undefined) return earlier
  const admitted = await admit(body, requester.identity, services.admission)
  const execution = {
    ...(await newExecution(body, admitted, requester.identity, services)),
    retry_of: retry?.of ?? null,
  }
  const beginning = {key: requester.key, audit: auditOf(body, requester.identity, retry), carried: retry?.carried}
  if (await services.executions.insert(execution, admitted.program.handlers, beginning)) {
    await begin(execution, services)
    return execution.id
  }
  const winner = await findEarlier(requester.key, services)
  if (winner === undefined) throw retry ? await retriedAlready(retry.of, services) : conflict()
  return winner
}

/** The execution that the same key already started; throws 409 when that was another request. */
export async function findEarlier(
  key: IdempotencyKey | undefined,
  {executions}: Services,
): Promise<string | undefined> {
  const earlier = key && (await executions.byIdempotencyKey(key))
  if (earlier && earlier.request_digest !== key.requestDigest) throw conflict()
  return earlier?.execution_id
}

/** An execution that has to be approved begins when it is. */
async function begin({id, approval_state: state}: NewExecution, {approvals, executor}: Services): Promise<void> {
  if (state === 'waiting') approvals.wake()
  else await executor.start(id)
}

async function newExecution(
  body: ExecutionRequest,
  admitted: Admitted,
  by: Identity,
  services: Services,
): Promise<Omit<NewExecution, 'retry_of'>> {
  const {verified, program, parameters, parametersDigest} = admitted
  const {level, rule, signers, warnings, files} = verified.verification
  return {
    id: randomUUID(),
    workflow_id: body.workflow_id,
    workflow_name: program.name,
    requested_by: by.name,
    dry_run: body.dry_run,
    document: JSON.stringify(verified.document.value),
    document_digest: verified.digest,
    parameters: JSON.stringify(parameters),
    parameters_digest: parametersDigest,
    files: JSON.stringify(files),
    verification: JSON.stringify({level, rule, signers, warnings}),
    ...(await approvalColumns(admitted, by, services)),
    break_glass: body.break_glass ? storable(body.break_glass.reason) : null,
  }
}

async function approvalColumns(
  {approval: need, verified, parametersDigest}: Admitted,
  by: Identity,
  {admission, approvals}: Services,
): Promise<Pick<NewExecution, 'approval_state' | 'approval_expires_at' | 'approval'>> {
  if (!need) return {approval_state: null, approval_expires_at: null, approval: null}
  const digests = {document_digest: verified.digest, parameters_digest: parametersDigest}
  const approval = openApproval(need, digests, await readSafety(admission.safety), {
    now: new Date(),
    requestedBy: by.name,
    selfApproval: approvals.selfApproval,
  })
  return {
    approval_state: 'waiting',
    approval_expires_at: new Date(approval.expires_at),
    approval: JSON.stringify(approval),
  }
}

function auditOf({break_glass: glass}: ExecutionRequest, by: Identity, retry: Retry | undefined): NewAudit[] {
  const requested: NewAudit = {by, action: 'requested', reason: retry ? `retry of ${retry.of}` : null}
  return glass ? [requested, {by, action: 'break_glass', reason: glass.reason}] : [requested]
}

/** Free text to the protocol, but it is stored, listed and printed. */
function checkWorkflowId(id: string): void {
  if (id.length <= 512 && id.isWellFormed() && !/\p{Cc}/u.test(id)) return
  throw new Refusal(422, {
    detail: [
      {
        loc: ['body', 'workflow_id'],
        msg: 'must be at most 512 characters, none of them a control character',
        type: 'value_error',
      },
    ],
    code: 'REQUEST_REJECTED',
  })
}

/** The key that makes a repetition of this very request the same execution. */
export function keyOf(request: FastifyRequest, subject?: string): IdempotencyKey | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header))
    throw refuse(422, 'REQUEST_REJECTED', 'Idempotency-Key must be 1 to 255 printable ASCII characters')
  const requestDigest = createHash('sha256')
    .update(subject ?? '')
    .update(canonicalJson((request.body ?? {}) as never))
    .digest('hex')
  return {principal: request.identity.principal, key: header, requestDigest}
}

async function retriedAlready(id: string, {executions}: Services): Promise<Refusal> {
  const later = await executions.retryOf(id)
  const hint = later === undefined ? undefined : `atomctl retry ${later}`
  return refuse(409, 'CONFLICT', `Cannot retry: ${later ?? 'another execution'} carries it on already`, hint)
}

function conflict(): Refusal {
  return refuse(409, 'CONFLICT', 'This Idempotency-Key was used for another request', 'Use a new key')
}

async function cancel(services: Services, id: string, by: Identity): Promise<object> {
  const row = await findExecution(services, id)
  if (await services.executor.cancel(id, by))
    return {execution_id: id, status: 'cancelling', message: 'Cancellation requested'}
  const {status} = await findExecution(services, id)
  if (status !== 'cancelled' && row.completed_at)
    throw refuse(409, 'CONFLICT', `Cannot cancel: the execution is ${status}`)
  return {execution_id: id, status, message: 'Already cancelled'}
}

function readCursor(cursor: string): string {
  const ordinal = Buffer.from(cursor, 'base64url').toString()
  if (!/^\d{1,18}$/.test(ordinal)) throw refuse(422, 'REQUEST_REJECTED', 'cursor is not one that this runtime gave out')
  return ordinal
}
