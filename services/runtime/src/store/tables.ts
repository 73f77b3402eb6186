import type {Approval, ExecutionStatus, RollbackState, StepState} from '@atomctl/protocol/runtime'
import {sql, type Generated, type Kysely, type Selectable} from 'kysely'
import type {Migration} from 'kysely/migration'

/** `json` columns are text: what was stored comes back byte for byte on PGlite and on PostgreSQL. */
interface ExecutionTable {
  ordinal: Generated<string>
  id: string
  workflow_id: string
  workflow_name: string
  /** The name of the token that asked for it. */
  requested_by: string
  status: ExecutionStatus
  dry_run: boolean
  document: string
  document_digest: string
  parameters: string
  parameters_digest: string
  /** JSON array of the signed files that the package brings along. */
  files: string
  /** JSON: which rule of the trust policy let the document in, and who signed it. */
  verification: string
  created_at: Date
  started_at: Date | null
  completed_at: Date | null
  current_step: string | null
  steps_completed: number
  total_steps: number
  error_message: string | null
  error_code: string | null
  cancel_requested: boolean
  /** Null when nobody has to approve; the JSON beside it is what the wire shows. */
  approval_state: Approval['state'] | null
  approval_expires_at: Date | null
  approval: string | null
  /** Of the last rollback; the JSON beside it is a StoredRollback. */
  rollback_state: RollbackState['status'] | null
  rollback: string | null
  retry_of: string | null
  break_glass: string | null
}

/** `attempt` counts the rollbacks on demand; each is a workflow of its own. */
export interface StoredRollback extends RollbackState {
  readonly attempt: number
}

export type ExecutionRow = Selectable<ExecutionTable>

export interface StepRow {
  execution_id: string
  phase: 'handler' | 'rollback'
  position: number
  name: string
  type: string
  status: StepState['status']
  attempt: number
  started_at: Date | null
  completed_at: Date | null
  exit_code: number | null
  http_status: number | null
  error: string | null
  output: string | null
  /** JSON: what the handler put out for later ones. */
  outputs: string | null
}

/** Log lines, step changes and status changes of an execution in one numbered sequence. */
export interface EventRow {
  execution_id: string
  seq: number
  kind: 'log' | 'step' | 'status'
  time: Date
  step: string | null
  stream: string | null
  body: string
}

export interface IdempotencyRow {
  principal: string
  key: string
  request_digest: string
  execution_id: string
  created_at: Date
}

/** Who did what to an execution. Written in the transaction that does it, never changed. */
interface AuditTable {
  ordinal: Generated<string>
  execution_id: string
  time: Date
  actor: string
  role: string
  action: string
  reason: string | null
}

export type AuditRow = Selectable<AuditTable>

export interface RuntimeTables {
  runtime_audit: AuditTable
  runtime_executions: ExecutionTable
  runtime_steps: StepRow
  runtime_events: EventRow
  runtime_idempotency: IdempotencyRow
}

/** The database is spelt out here, not taken from RuntimeTables: a migration never changes after its release. */
async function createTables(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table runtime_executions (
      ordinal bigint generated always as identity unique, id text primary key, workflow_id text not null,
      workflow_name text not null, requested_by text not null, status text not null, dry_run boolean not null, document text not null,
      document_digest text not null, parameters text not null, parameters_digest text not null, files text not null,
      verification text not null, created_at timestamptz not null, started_at timestamptz, completed_at timestamptz,
      current_step text, steps_completed integer not null, total_steps integer not null, error_message text,
      cancel_requested boolean not null default false)`,
    sql`create index runtime_executions_workflow on runtime_executions (workflow_id, ordinal)`,
    sql`create index runtime_executions_status on runtime_executions (status, ordinal)`,
    sql`create index runtime_executions_completed on runtime_executions (completed_at)`,
    sql`create index runtime_executions_dry_run on runtime_executions (document_digest, parameters_digest)
      where dry_run`,
    sql`create table runtime_steps (
      execution_id text not null references runtime_executions (id) on delete cascade, phase text not null,
      position integer not null, name text not null, type text not null, status text not null,
      attempt integer not null, started_at timestamptz, completed_at timestamptz, exit_code integer,
      http_status integer, error text, output text, primary key (execution_id, phase, position))`,
    sql`create table runtime_events (
      execution_id text not null references runtime_executions (id) on delete cascade, seq integer not null,
      kind text not null, time timestamptz not null, step text, stream text, body text not null,
      primary key (execution_id, seq))`,
    sql`create table runtime_idempotency (
      principal text not null, key text not null, request_digest text not null,
      execution_id text not null references runtime_executions (id) on delete cascade,
      created_at timestamptz not null, primary key (principal, key))`,
  ]
  for (const statement of statements) await statement.execute(db)
}

async function addControl(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`alter table runtime_executions
      add column approval_state text, add column approval_expires_at timestamptz, add column approval text,
      add column rollback_state text, add column rollback text, add column retry_of text,
      add column break_glass text`,
    sql`alter table runtime_steps add column outputs text`,
    sql`create index runtime_executions_waiting on runtime_executions (approval_expires_at)
      where approval_state = 'waiting'`,
    sql`create index runtime_executions_rollback on runtime_executions (rollback_state)
      where rollback_state = 'running'`,
    sql`create index runtime_executions_retry on runtime_executions (retry_of) where retry_of is not null`,
    sql`create table runtime_audit (
      ordinal bigint generated always as identity primary key,
      execution_id text not null references runtime_executions (id) on delete cascade, time timestamptz not null,
      actor text not null, role text not null, action text not null, reason text)`,
    sql`create index runtime_audit_execution on runtime_audit (execution_id, ordinal)`,
  ]
  for (const statement of statements) await statement.execute(db)
}

/** An execution is carried on by one other, unless that one was rejected and so never ran. */
async function addRetries(db: Kysely<unknown>): Promise<void> {
  await sql`drop index runtime_executions_retry`.execute(db)
  await sql`create unique index runtime_executions_retry on runtime_executions (retry_of)
    where retry_of is not null and status <> 'rejected'`.execute(db)
}

/** Signs of life of the runtimes that share this database. */
async function addPeers(db: Kysely<unknown>): Promise<void> {
  await sql`create table runtime_peers (executor_id text primary key, beat bigint not null)`.execute(db)
}

/** What kind of failure ended an execution. */
async function addErrorCodes(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runtime_executions add column error_code text`.execute(db)
}

export const MIGRATIONS: Record<string, Migration> = {
  '0001_executions': {up: createTables},
  '0002_control': {up: addControl},
  '0003_retries': {up: addRetries},
  '0004_peers': {up: addPeers},
  '0005_error_codes': {up: addErrorCodes},
}

/** PostgreSQL text holds no NUL character; lone surrogates would not survive UTF-8 either. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\u{FFFD}').toWellFormed()
}
