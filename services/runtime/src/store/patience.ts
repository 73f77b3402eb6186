import {isTransientStorageError} from '@atomctl/storage'
import {waitFor} from '../engine/timing.ts'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000

/**
 * Does the work again for as long as the database cannot be reached: an execution under way has nothing better to do than
 * to wait for it. The work must bear being done twice, as a COMMIT may have taken effect though its answer was lost.
 */
export async function patiently<T>(work: (isRepeated: boolean) => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let wait = FIRST_WAIT_MS, isRepeated = false; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS), isRepeated = true) {
    try {
      return await work(isRepeated)
    } catch (error) {
      if (!isTransientStorageError(error) || signal?.aborted) throw error
    }
    await waitFor(wait, signal ?? NEVER)
    signal?.throwIfAborted()
  }
}

const NEVER = new AbortController().signal
