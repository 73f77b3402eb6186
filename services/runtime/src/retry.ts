import {refuse, type Refusal} from './refusal.ts'
import type {CarriedStep} from './store/executions.ts'
import type {ExecutionRow, StepRow} from './store/tables.ts'

const RETRIABLE: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'rolled_back'])

/**
 * The steps that a retry need not do again: those before `from`, or before the first that did not complete. Throws 409
 * when the execution cannot be carried on from there, 422 for a handler that it does not have.
 */
export function planRetry(row: ExecutionRow, steps: readonly StepRow[], from: string | undefined): CarriedStep[] {
  if (!RETRIABLE.has(row.status)) throw conflict(`The execution is ${row.status}`)
  if (row.dry_run) throw conflict('A dry run has nothing to carry on')
  if (row.rollback_state === 'running') throw conflict('The execution is being rolled back')
  const handlers = steps.filter(({phase}) => phase === 'handler')
  const start = startOf(row, handlers, from)
  const before = handlers.slice(0, start)
  const gap = before.find((step) => !isDone(row, step))
  if (gap) throw conflict(`${gap.name}, before ${from}, did not complete (${gap.status})`, `--from ${gap.name}`)
  if (start > 0 && row.rollback_state !== null)
    throw conflict('What completed was rolled back, so all of it has to run again', `--from ${handlers[0]?.name}`)
  return before.map(({position, status, outputs, exit_code, http_status}) => {
    return {position, status, outputs, exit_code, http_status}
  })
}

function startOf(row: ExecutionRow, handlers: readonly StepRow[], from: string | undefined): number {
  if (from !== undefined) {
    const named = handlers.findIndex(({name}) => name === from)
    if (named >= 0) return named
    const names = handlers.map(({name}) => name).join(', ')
    throw refuse(422, 'REQUEST_REJECTED', `The execution has no handler ${JSON.stringify(from)}, only ${names}`)
  }
  if (row.rollback_state !== null) return 0
  const first = handlers.findIndex((step) => !isDone(row, step))
  if (first >= 0) return first
  throw conflict('Every step completed, so nothing is left to retry', `--from ${handlers[0]?.name}`)
}

/** A step after the last that was reached is called skipped as well, but only because it had no turn. */
function isDone({steps_completed: reached}: ExecutionRow, {status, position}: StepRow): boolean {
  return position < reached && (status === 'completed' || status === 'skipped')
}

function conflict(detail: string, hint?: string): Refusal {
  return refuse(409, 'CONFLICT', `Cannot retry: ${detail}`, hint)
}
