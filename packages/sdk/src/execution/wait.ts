import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import {AtomError} from '../errors.ts'
import type {RuntimeClient} from '../runtime/index.ts'
import type {ExecutionOutcome} from './outcome.ts'
import {createProgress, type ProgressLine} from './progress.ts'
import {awaitedApproval, describeWaiting} from './waiting.ts'

export interface WaitOptions {
  interruption: {signal: AbortSignal; defer<T>(work: () => Promise<T>): Promise<T>}
  /** Milliseconds; no limit when absent. */
  timeout: number | undefined
  /** Cancels the execution when Ctrl-C comes; by a client that Ctrl-C does not stop. */
  cancelOnInterrupt?: (() => Promise<RuntimeClient>) | undefined
  /** The execution ends with this process, so nobody can be told to come back to it. */
  local?: boolean
  progress: ProgressLine
  /** What is waited for; default the end of the execution. */
  follow?: Follow | undefined
}

/** Watches an execution until something about it ends, and answers how. */
export type Follow = (
  runtime: RuntimeClient,
  started: ExecutionOutcome,
  signal: AbortSignal,
  line: ProgressLine,
) => Promise<ExecutionOutcome>

/**
 * Follows an execution to its end. The client only watches: whatever happens to it, the execution goes on.
 * @throws WAIT_TIMEOUT, or INTERRUPTED saying how to reattach or cancel.
 */
export async function waitForExecution(
  runtime: RuntimeClient,
  started: ExecutionOutcome,
  options: WaitOptions,
): Promise<ExecutionOutcome> {
  const {interruption, timeout, follow = followToEnd} = options
  const deadline = timeout === undefined ? undefined : AbortSignal.timeout(timeout)
  const signal = deadline ? AbortSignal.any([interruption.signal, deadline]) : interruption.signal
  return interruption.defer(async () => {
    try {
      return await follow(runtime, started, signal, options.progress)
    } catch (error) {
      if (interruption.signal.aborted) throw await detach(started.execution_id, options)
      if (deadline?.aborted) throw waitTimedOut(started.execution_id, options)
      throw error
    }
  })
}

async function followToEnd(
  runtime: RuntimeClient,
  started: ExecutionOutcome,
  signal: AbortSignal,
  line: ProgressLine,
): Promise<ExecutionOutcome> {
  const progress = createProgress(line)
  const approval = awaitedApproval(started)
  if (approval) line(describeWaiting(started, approval))
  let latest: ExecutionOutcome = started
  try {
    for await (const event of runtime.follow(started.execution_id, {signal})) {
      progress.show(event)
      if (event.type === 'status') latest = merge(started, event)
    }
  } finally {
    progress.stop()
  }
  return complete(runtime, latest)
}

/** The ended execution with its steps and log, which events leave out; the outcome is known without them. */
async function complete(runtime: RuntimeClient, ended: ExecutionOutcome): Promise<ExecutionOutcome> {
  const full = await runtime.status(ended.execution_id).catch(() => ended)
  const {FINAL_STATUSES} = await import('@atomctl/protocol/runtime')
  // what ended can still have been rolled back since
  return FINAL_STATUSES.has(full.status) ? {...full, workflow_id: ended.workflow_id} : ended
}

function merge(started: ExecutionOutcome, {execution}: Extract<ExecutionEvent, {type: 'status'}>): ExecutionOutcome {
  return {...execution, workflow_id: execution.workflow_id ?? started.workflow_id}
}

async function detach(id: string, {cancelOnInterrupt}: WaitOptions): Promise<AtomError> {
  if (!cancelOnInterrupt) {
    return new AtomError('INTERRUPTED', `Detached; the execution ${id} goes on`, {
      hint: `atomctl status ${id} --watch to reattach, atomctl cancel ${id} to stop it`,
    })
  }
  const runtime = await cancelOnInterrupt()
  await runtime.cancel(id)
  return new AtomError('INTERRUPTED', `Interrupted; the execution ${id} was cancelled`)
}

function waitTimedOut(id: string, {timeout = 0, local = false}: WaitOptions): AtomError {
  const waited = `not finished after ${timeout / 1000} s`
  const details = {execution_id: id}
  if (local) return new AtomError('WAIT_TIMEOUT', `${waited}, so it was stopped`, {details})
  return new AtomError('WAIT_TIMEOUT', `${waited}; the execution ${id} goes on`, {
    hint: `atomctl status ${id} --watch`,
    details,
  })
}
