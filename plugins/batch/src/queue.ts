import {reportOf} from '@atomctl/sdk/errors'
import type {BatchItem, Done, Task} from './item.ts'
import {failedItem} from './item.ts'
import {isDone, type Journal, type JournalEntry} from './journal.ts'
import type {Pace} from './rate.ts'

/** What a batch does to each package. */
export interface Work {
  /** Identifies the content of the input; what it throws is the package's failure. */
  fingerprint(task: Task): Promise<string>
  /** @throws why it failed */
  perform(task: Task, memory: Memory): Promise<Done>
}

/** What outlives the process between the beginning and the end of one package. */
export interface Memory {
  /** What an earlier run began and did not see the end of. */
  readonly pending: string | undefined
  /** The key under which an earlier run may have begun it. */
  readonly attempt: string | undefined
  /** Notes the key under which it is begun now, before it is. */
  begin(attempt: string): void
  /** Notes how to find what was begun; the empty text forgets it. */
  remember(pending: string): void
}

export interface QueueOptions {
  readonly concurrency: number
  readonly failFast: boolean
  readonly signal: AbortSignal
  readonly journal: Journal
  readonly pace?: Pace | undefined
  /** Hears of every package as it ends. */
  onItem(item: BatchItem): void
}

/**
 * Works on so many packages at a time, in order, and reports on all of them, in order. A failure stops the others only
 * with `failFast`; what is under way is always finished.
 */
export async function workThrough(tasks: readonly Task[], work: Work, options: QueueOptions): Promise<BatchItem[]> {
  const items: BatchItem[] = tasks.map(({subject}) => ({subject, status: 'not_run', duration: 0}))
  let next = 0
  let stopped = false
  const lane = async (): Promise<void> => {
    while (next < tasks.length && !stopped && !options.signal.aborted) {
      const index = next++
      const item = await workOn(tasks[index] as Task, work, options)
      items[index] = item
      if (item.status !== 'not_run') options.onItem(item)
      stopped ||= options.failFast && item.status === 'failed'
    }
  }
  await Promise.all(Array.from({length: Math.min(options.concurrency, tasks.length)}, lane))
  return items
}

async function workOn(task: Task, work: Work, {journal, pace, signal}: QueueOptions): Promise<BatchItem> {
  const {subject} = task
  const started = performance.now()
  const elapsed = (): number => Math.round(performance.now() - started)
  try {
    const fingerprint = await work.fingerprint(task)
    const known = journal.find(subject, fingerprint)
    if (known && isDone(known)) return {subject, status: 'skipped', ...defined(known), duration: elapsed()}
    await pace?.next(signal)
    if (signal.aborted) return {subject, status: 'not_run', duration: 0}
    const record = (entry: JournalEntry): void => journal.record(subject, fingerprint, entry)
    const {
      fingerprint: after,
      waiting,
      ...done
    } = await work.perform(task, {
      pending: known?.pending || undefined,
      attempt: known?.attempt,
      begin: (attempt) => record({attempt}),
      remember: (pending) => record({pending}),
    })
    if (waiting) return {subject, status: 'waiting', ...done, error: reportOf(waiting), duration: elapsed()}
    journal.record(subject, after ?? fingerprint, done)
    return {subject, status: 'ok', ...done, duration: elapsed()}
  } catch (error) {
    // after Ctrl-C every request fails, and none of that says anything about the package
    if (signal.aborted) return {subject, status: 'not_run', duration: elapsed()}
    return failedItem(subject, error, elapsed())
  }
}

function defined({id, note}: {id?: string | undefined; note?: string | undefined}): {id?: string; note?: string} {
  return {...(id === undefined ? {} : {id}), ...(note === undefined ? {} : {note})}
}
