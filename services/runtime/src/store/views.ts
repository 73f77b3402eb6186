import type {Execution, StepState} from '@atomctl/protocol/runtime'
import type {ExecutionRow, StepRow} from './tables.ts'

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
    dry_run: row.dry_run,
    document_digest: row.document_digest,
    cancel_requested: row.cancel_requested,
  }
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
