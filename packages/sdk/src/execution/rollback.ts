import {setTimeout as delay} from 'node:timers/promises'
import {AtomError} from '../errors.ts'
import type {RuntimeClient} from '../runtime/index.ts'
import type {ExecutionOutcome} from './outcome.ts'
import {createProgress, type ProgressLine} from './progress.ts'

const FIRST_DELAY = 100
const LONGEST_DELAY = 1500
const BACKOFF = 1.4

/**
 * Watches a rollback on demand to its end: of an execution that has ended no event stream tells more. Statuses are
 * asked for 100 ms apart at first and 1.5 s in the end.
 */
export async function followRollback(
  runtime: RuntimeClient,
  started: ExecutionOutcome,
  signal: AbortSignal,
  line: ProgressLine,
): Promise<ExecutionOutcome> {
  const progress = createProgress(line)
  try {
    for (let pause = FIRST_DELAY; ; pause = Math.min(LONGEST_DELAY, pause * BACKOFF)) {
      const execution = await runtime.status(started.execution_id)
      const steps = (execution.steps ?? []).filter(({phase}) => phase === 'rollback')
      for (const step of steps) progress.show({type: 'step', id: '', step})
      if (execution.rollback?.status !== 'running') return {...execution, workflow_id: execution.workflow_id ?? ''}
      await delay(pause, undefined, {signal})
    }
  } finally {
    progress.stop()
  }
}

/** The error of a rollback that somebody asked for (exit code 24), or undefined when everything was undone. */
export function rollbackError({execution_id: id, status, rollback}: ExecutionOutcome): AtomError | undefined {
  if (status === 'rolled_back') return undefined
  const reason = rollback?.error ? `: ${rollback.error}` : ''
  return new AtomError('ROLLBACK_FAILED', `Rollback failed${reason}`, {
    hint: `atomctl logs ${id}, then atomctl rollback ${id} again: it does only what is left`,
    details: {execution_id: id, status},
  })
}
