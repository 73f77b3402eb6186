import * as z from 'zod'
import {json, timestamp} from './values.ts'

/** Protocol section 4. `cancelled` is an extra of runtimes that announce `cancel`. */
export const executionStatus = z.enum(['pending', 'running', 'completed', 'failed', 'rolled_back', 'cancelled'])
export type ExecutionStatus = z.infer<typeof executionStatus>

/** Statuses after which an execution never changes again. */
export const FINAL_STATUSES: ReadonlySet<string> = new Set(['completed', 'failed', 'rolled_back', 'cancelled'])

export const executionRequest = z.looseObject({
  workflow_id: z.string(),
  wpk_content: z.record(z.string(), json),
  parameters: z.record(z.string(), json).nullish(),
  dry_run: z.boolean().default(false),
})
export type ExecutionRequest = z.infer<typeof executionRequest>

export const executionStarted = z.looseObject({
  execution_id: z.string(),
  status: z.string(),
  message: z.string().optional(),
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
  logs: z.array(z.string()).optional(),
  /** Extras of `list-executions`, `steps`. */
  dry_run: z.boolean().optional(),
  document_digest: z.string().optional(),
  steps: z.array(stepState).optional(),
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

/** `POST /rollback/{id}` (protocol section 3.5). */
export const rollbackReply = z.looseObject({execution_id: z.string(), message: z.string().optional()})

/** `POST /validate` (protocol section 3.3). */
export const validateReply = z.looseObject({
  status: z.literal('valid'),
  workflow_name: z.string(),
  total_handlers: z.number().int(),
  supported_adapters: z.array(z.string()),
})
