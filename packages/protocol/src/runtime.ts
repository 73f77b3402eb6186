import * as z from 'zod'
import {json, timestamp} from './values.ts'

/** Protocol section 4. `cancelled` is an extra of runtimes that announce `cancel`, `rejected` of `approvals`. */
export const executionStatus = z.enum([
  'pending',
  'running',
  'completed',
  'failed',
  'rolled_back',
  'cancelled',
  'rejected',
])
export type ExecutionStatus = z.infer<typeof executionStatus>

/** Statuses after which an execution runs no further; only a rollback on demand can still change it. */
export const FINAL_STATUSES: ReadonlySet<string> = new Set([
  'completed',
  'failed',
  'rolled_back',
  'cancelled',
  'rejected',
])

export const executionRequest = z.looseObject({
  workflow_id: z.string(),
  wpk_content: z.record(z.string(), json),
  parameters: z.record(z.string(), json).nullish(),
  dry_run: z.boolean().default(false),
  /** Extra `approvals`: run without approval, dry run or regard to freeze windows. For administrators, audited. */
  break_glass: z.object({reason: z.string().trim().min(1).max(1000)}).nullish(),
})
export type ExecutionRequest = z.infer<typeof executionRequest>

const decision = z.looseObject({by: z.string(), at: timestamp, reason: z.string().nullish()})

/** Extra `approvals`: what an execution waits for before it starts, and what was decided. */
export const approval = z.looseObject({
  state: z.enum(['waiting', 'approved', 'rejected', 'expired']),
  /** `package`: safety.approval_required; `policy`: too risky to run by itself. */
  required_by: z.enum(['package', 'policy']),
  reason: z.string(),
  /** How many different people have to approve. */
  quorum: z.number().int(),
  approvals: z.array(decision),
  rejection: decision.nullish(),
  expires_at: timestamp,
  /** What is approved: exactly this document with exactly these parameters. */
  document_digest: z.string(),
  parameters_digest: z.string(),
  /** Who asked for the execution. */
  requested_by: z.string().optional(),
  /** Whether who asked for it may approve it (a single-user runtime). */
  self_approval: z.boolean().optional(),
})
export type Approval = z.infer<typeof approval>

/** `POST /execute`. `approval` is there, and the status `pending`, when the execution waits for one. */
export const executionStarted = z.looseObject({
  execution_id: z.string(),
  status: z.string(),
  message: z.string().optional(),
  approval: approval.nullish(),
})
export type ExecutionStarted = z.infer<typeof executionStarted>

/** Extra `steps`: one handler's progress; times in UTC with `Z`. */
export const stepState = z.looseObject({
  name: z.string(),
  type: z.string(),
  status: z.enum(['pending', 'running', 'completed', 'failed', 'skipped', 'cancelled']),
  attempt: z.number().int(),
  started_at: timestamp.nullable(),
  completed_at: timestamp.nullable(),
  exit_code: z.number().int().nullish(),
  http_status: z.number().int().nullish(),
  error: z.string().nullish(),
})
export type StepState = z.infer<typeof stepState>

/** Extra `rollback`: the rollback of an execution, its own or one on demand. */
export const rollbackState = z.looseObject({
  status: z.enum(['running', 'completed', 'failed']),
  /** Who asked for it; null when the execution rolled back by itself. */
  requested_by: z.string().nullable(),
  started_at: timestamp.nullish(),
  completed_at: timestamp.nullish(),
  error: z.string().nullish(),
})
export type RollbackState = z.infer<typeof rollbackState>

/** Extra `audit`: one thing that a person did to an execution. */
export const auditEntry = z.looseObject({
  time: timestamp,
  /** The name of the token. */
  actor: z.string(),
  role: z.string(),
  action: z.string(),
  reason: z.string().nullish(),
})
export type AuditEntry = z.infer<typeof auditEntry>

/** `GET /execute/{id}/audit`, oldest first. */
export const auditTrail = z.looseObject({execution_id: z.string(), entries: z.array(auditEntry)})

/** `GET /execute/{id}` (protocol section 3.4). A lenient reader: absent keys mean the same as null. */
export const execution = z.looseObject({
  execution_id: z.string(),
  workflow_id: z.string().optional(),
  status: z.string(),
  started_at: timestamp.nullish(),
  completed_at: timestamp.nullish(),
  current_step: z.string().nullish(),
  steps_completed: z.number().optional(),
  total_steps: z.number().optional(),
  error_message: z.string().nullish(),
  /** Extra: what kind of failure it is, such as DENIED when the safety policy forbade a step. */
  error_code: z.string().nullish(),
  logs: z.array(z.string()).optional(),
  /** Extras of `list-executions`, `steps`. */
  dry_run: z.boolean().optional(),
  document_digest: z.string().optional(),
  parameters_digest: z.string().optional(),
  steps: z.array(stepState).optional(),
  /** Extras of `approvals`, `rollback`, `retry`, `audit`. */
  approval: approval.nullish(),
  rollback: rollbackState.nullish(),
  retry_of: z.string().nullish(),
  requested_by: z.string().optional(),
  /** Why somebody ran it in spite of everything. */
  break_glass: z.string().nullish(),
  audit: z.array(auditEntry).optional(),
})
export type Execution = z.infer<typeof execution>

/** Extra `list-executions`: `GET /executions`, newest first. */
export const executionList = z.looseObject({
  executions: z.array(execution),
  next_cursor: z.string().nullish(),
})
export type ExecutionList = z.infer<typeof executionList>

export const executionQuery = z.object({
  workflow_id: z.string().optional(),
  status: executionStatus.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  cursor: z.string().max(512).optional(),
})
export type ExecutionQuery = z.infer<typeof executionQuery>

/** Extra `events`: one log line of a step. `seq` rises by at least 1 within an execution. */
export const logEntry = z.looseObject({
  seq: z.number().int(),
  time: timestamp,
  step: z.string().nullable(),
  stream: z.enum(['stdout', 'stderr', 'system']),
  text: z.string(),
})
export type LogEntry = z.infer<typeof logEntry>

/** `GET /logs/{id}`; `entries` is an extra, `?after=<seq>` pages it. */
export const logs = z.looseObject({
  execution_id: z.string(),
  logs: z.array(z.string()),
  entries: z.array(logEntry).optional(),
  /** Where the next page starts; null on the last one. */
  next_after: z.number().int().nullish(),
})
export type Logs = z.infer<typeof logs>

/**
 * Extra `events`: `GET /execute/{id}/events`, server-sent events. `id:` is a cursor for Last-Event-ID,
 * `event:` one of these types, `data:` the JSON below. The stream ends after the `status` event with a final status.
 */
export const executionEvent = z.discriminatedUnion('type', [
  z.looseObject({type: z.literal('status'), id: z.string(), execution}),
  z.looseObject({type: z.literal('step'), id: z.string(), step: stepState}),
  z.looseObject({type: z.literal('log'), id: z.string(), log: logEntry}),
])
export type ExecutionEvent = z.infer<typeof executionEvent>

export const cancelReply = z.looseObject({execution_id: z.string(), status: z.string(), message: z.string().optional()})
export type CancelReply = z.infer<typeof cancelReply>

/** `POST /execute/{id}/approve`. Given digests must be those of the execution. */
export const approveRequest = z.looseObject({
  reason: z.string().trim().max(1000).nullish(),
  document_digest: z.string().optional(),
  parameters_digest: z.string().optional(),
})
export type ApproveRequest = z.infer<typeof approveRequest>

/** `POST /execute/{id}/reject`. */
export const rejectRequest = approveRequest.extend({reason: z.string().trim().min(1).max(1000)})

/** The answer to both. */
export const decisionReply = z.looseObject({execution_id: z.string(), status: z.string(), approval})
export type DecisionReply = z.infer<typeof decisionReply>

/** `POST /execute/{id}/retry`: from the named handler, or from the first that did not complete. */
export const retryRequest = z.looseObject({from: z.string().max(256).nullish()})

/** `POST /rollback/{id}` (protocol section 3.5). */
export const rollbackReply = z.looseObject({execution_id: z.string(), message: z.string().optional()})

/** `POST /validate` (protocol section 3.3). */
export const validateReply = z.looseObject({
  status: z.literal('valid'),
  workflow_name: z.string(),
  total_handlers: z.number().int(),
  supported_adapters: z.array(z.string()),
})
