import type {Approval, AuditEntry, Execution, RollbackState, StepState} from '@atomctl/protocol/runtime'
import type {AuditRow, ExecutionRow, StepRow, StoredRollback} from './tables.ts'

/** An execution as the wire shows it (protocol section 3.4), without its logs and steps. */
export function executionView(row: ExecutionRow): Execution {
  return {
    execution_id: row.id,
    workflow_id: row.workflow_id,
    status: row.status,
    created_at: row.created_at.toISOString(),
    started_at: instant(row.started_at),
    completed_at: instant(row.completed_at),
    current_step: row.current_step,
    steps_completed: row.steps_completed,
    total_steps: row.total_steps,
    error_message: row.error_message,
    ...(row.error_code === null ? {} : {error_code: row.error_code}),
    dry_run: row.dry_run,
    document_digest: row.document_digest,
    parameters_digest: row.parameters_digest,
    cancel_requested: row.cancel_requested,
    requested_by: row.requested_by,
    ...(row.approval === null ? {} : {approval: approvalView(row)}),
    ...(row.rollback === null ? {} : {rollback: rollbackView(row.rollback)}),
    ...(row.retry_of === null ? {} : {retry_of: row.retry_of}),
    ...(row.break_glass === null ? {} : {break_glass: row.break_glass}),
  }
}

/** Undefined when nobody has to approve the execution. */
export function approvalView(row: ExecutionRow): Approval | undefined {
  return row.approval === null ? undefined : (JSON.parse(row.approval) as Approval)
}

function rollbackView(stored: string): RollbackState {
  const {attempt: _attempt, ...rollback} = JSON.parse(stored) as StoredRollback
  return rollback
}

export function auditView({time, actor, role, action, reason}: AuditRow): AuditEntry {
  return {time: time.toISOString(), actor, role, action, reason}
}

export function stepView(row: StepRow): StepState {
  return {
    name: row.name,
    type: row.type,
    phase: row.phase,
    status: row.status,
    attempt: row.attempt,
    started_at: instant(row.started_at),
    completed_at: instant(row.completed_at),
    exit_code: row.exit_code,
    http_status: row.http_status,
    error: row.error,
  }
}

function instant(time: Date | null): string | null {
  return time ? time.toISOString() : null
}
