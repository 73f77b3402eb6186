import type {JsonObject} from '@atomctl/protocol/values'
import {readProgram, type HandlerSpec} from './program.ts'
import {refuse, type Refusal} from './refusal.ts'
import {rollbackOrder} from './rollback.ts'
import type {ExecutionRow, StepRow, StoredRollback} from './store/tables.ts'

const UNDOABLE: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** What undoing an ended execution would run, in order. Throws 400 where protocol section 3.5 says so. */
export function planUndo(row: ExecutionRow, steps: readonly StepRow[]): HandlerSpec[] {
  if (row.status === 'rejected') throw impossible('Cannot rollback: the execution never ran')
  if (!UNDOABLE.has(row.status) || row.rollback_state === 'running' || row.rollback_state === 'completed')
    throw impossible(
      'Cannot rollback running execution',
      row.status === 'rolled_back' ? 'It is rolled back' : undefined,
    )
  if (row.dry_run) throw impossible('Cannot rollback: a dry run changed nothing')
  const program = readProgram(JSON.parse(row.document) as JsonObject)
  const order = rollbackOrder(program.rollback, completedOf(program.handlers, steps))
  if (order.length === 0) throw impossible('Cannot rollback: the package has no rollback handler for what completed')
  return order
}

/** The handlers that completed, in the order in which they did. */
export function completedOf(handlers: readonly HandlerSpec[], steps: readonly StepRow[]): HandlerSpec[] {
  const completed = new Set(
    steps.filter(({phase, status}) => phase === 'handler' && status === 'completed').map(({position}) => position),
  )
  return handlers.filter((_, position) => completed.has(position))
}

/** A rollback on demand is a workflow of its own; its id says whose. */
export function rollbackRunId(executionId: string, {attempt}: Pick<StoredRollback, 'attempt'>): string {
  return `${executionId}:rollback:${attempt}`
}

/** Which execution a workflow belongs to, and whether it undoes it. */
export function readRunId(runId: string): {executionId: string; isRollback: boolean} {
  const [executionId = '', kind] = runId.split(':')
  return {executionId, isRollback: kind === 'rollback'}
}

/** The protocol answers 400; the code says that it is the state which forbids it. */
function impossible(detail: string, hint?: string): Refusal {
  return refuse(400, 'CONFLICT', detail, hint)
}
