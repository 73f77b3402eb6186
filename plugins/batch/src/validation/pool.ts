import {once} from 'node:events'
import {extname} from 'node:path'
import {Worker} from 'node:worker_threads'
import {type BatchItem, failedItem, type Task} from '../item.ts'
import type {QueueOptions} from '../queue.ts'
import {type CheckedItem, checkFiles, type CheckOptions} from './check.ts'

/** Files a thread gets at a time: enough to make the message cheap, few enough to stop soon. */
const CHUNK = 32
/** A thread takes about as long to start as this many files take to check. */
const WORTH_A_THREAD = 100

type PoolOptions = Pick<QueueOptions, 'failFast' | 'signal' | 'journal' | 'onItem'> & {readonly threads: number}

/**
 * Checks files in worker threads, and in this one where there are too few to be worth it. Reports come in the order of
 * the files. What earlier runs have done is checked again, which is cheaper than asking: it is only told apart.
 */
export async function checkInThreads(
  tasks: readonly Task[],
  check: CheckOptions,
  options: PoolOptions,
): Promise<BatchItem[]> {
  const threads = Math.min(options.threads, Math.floor(tasks.length / WORTH_A_THREAD))
  const items: BatchItem[] = tasks.map(({subject}) => ({subject, status: 'not_run', duration: 0}))
  let next = 0
  let stopped = false
  const lane = async (checker: Checker): Promise<void> => {
    while (next < tasks.length && !stopped && !options.signal.aborted) {
      const start = next
      next = Math.min(tasks.length, start + CHUNK)
      const paths = tasks.slice(start, next).map(({subject}) => subject)
      const checked = await checker.check(paths)
      if (options.signal.aborted && checked.length === 0) return
      for (const [offset, one] of checked.entries()) {
        const item = note(one, options)
        items[start + offset] = item
        options.onItem(item)
        stopped ||= options.failFast && item.status === 'failed'
      }
    }
  }
  if (threads < 2) {
    await lane({check: (paths) => checkFiles(paths, check)})
    return items
  }
  await using pool = new AsyncDisposableStack()
  const checkers = Array.from({length: threads}, () => pool.use(new ThreadChecker(check, options.signal)))
  await Promise.all(checkers.map(lane))
  return items
}

function note({item, fingerprint}: CheckedItem, {journal}: PoolOptions): BatchItem {
  if (item.status !== 'ok' || fingerprint === undefined) return item
  if (journal.find(item.subject, fingerprint)) return {...item, status: 'skipped'}
  journal.record(item.subject, fingerprint, item)
  return item
}

interface Checker {
  check(paths: readonly string[]): Promise<CheckedItem[]>
}

/** One worker thread; a new one takes its place when it dies. */
class ThreadChecker implements Checker, AsyncDisposable {
  readonly #options: CheckOptions
  readonly #signal: AbortSignal
  #worker: Worker | undefined

  constructor(options: CheckOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  async check(paths: readonly string[]): Promise<CheckedItem[]> {
    // sources and compiled code have the same layout
    const url = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)
    this.#worker ??= new Worker(url, {workerData: this.#options})
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage(paths)
      const [checked] = (await once(this.#worker, 'message', {signal: this.#signal})) as [CheckedItem[]]
      return checked
    } catch (error) {
      if (this.#signal.aborted) return []
      await this[Symbol.asyncDispose]()
      return paths.map((path) => ({item: failedItem(path, error, 0)}))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
