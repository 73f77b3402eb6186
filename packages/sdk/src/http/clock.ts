import {setTimeout as delay} from 'node:timers/promises'
import {abortError} from './failure.ts'

/** Time as the clients see it; tests pass one that does not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Rejects with the signal's reason as soon as it aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    signal?.throwIfAborted()
    try {
      await delay(milliseconds, undefined, signal ? {signal} : {})
    } catch (error) {
      // Node rejects with its own AbortError; callers want the reason they gave.
      throw signal?.aborted ? signal.reason : error
    }
  },
}

/** Waits; throws the AtomError an aborted signal means. */
export async function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await clock.sleep(milliseconds, signal)
  } catch (error) {
    throw signal?.aborted ? abortError(signal) : error
  }
}
