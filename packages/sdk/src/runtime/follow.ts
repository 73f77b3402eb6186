import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import {AtomError} from '../errors.ts'
import {abortError, type Clock, type Service} from '../http/index.ts'
import {pollExecution} from './poll.ts'
import {subscribe} from './subscribe.ts'

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds since the epoch; then WAIT_TIMEOUT is thrown and the execution goes on. */
  readonly deadline?: number | undefined
  /** False when `failed` is known to be final because the package has no rollback. */
  readonly rollbackPossible?: boolean | undefined
}

/** The longest a Node timer can run; a later deadline never fires within one process anyway. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The events of an execution until its final status, by event stream where announced, else by polling. */
export async function* followExecution(
  service: Service,
  clock: Clock,
  id: string,
  {signal, deadline, rollbackPossible = true}: FollowOptions,
): AsyncGenerator<ExecutionEvent> {
  const limit = new AbortController()
  const combined = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal
  const timer = deadline === undefined ? undefined : abortAt(limit, deadline - clock.now(), id)
  try {
    const original = (await unlessAborted(service.discover(), combined)) === undefined
    const following = {service, clock, id, signal: combined}
    let after = 0
    if (await service.supports('events')) {
      const end = yield* subscribe(following)
      if (end.finished) return
      after = end.after
    }
    yield* pollExecution({...following, original, rollbackPossible, after})
  } finally {
    clearTimeout(timer)
  }
}

/** Discovery is shared by everything that asks, so it is not aborted itself; only this wait for it is. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(abortError(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, {once: true})
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function abortAt(controller: AbortController, milliseconds: number, id: string): NodeJS.Timeout {
  const abort = (): void => controller.abort(waitTimeout(id))
  return setTimeout(abort, Math.min(LONGEST_TIMER, Math.max(0, milliseconds)))
}

function waitTimeout(id: string): AtomError {
  return new AtomError('WAIT_TIMEOUT', `Execution ${id} has not finished in time; it goes on`, {
    hint: `atomctl status ${id} --watch`,
    details: {execution_id: id},
  })
}
