const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Resolves after that time, or as soon as `signal` aborts. */
export async function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const {promise, resolve} = Promise.withResolvers<void>()
  const stop = (): void => resolve()
  const timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_TIMER_MS))
  signal.addEventListener('abort', stop, {once: true})
  await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
}

/** Waits for `work`, whatever becomes of it, but no longer than that. */
export async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const done = new AbortController()
  const settled = work.then(
    () => done.abort(),
    () => done.abort(),
  )
  await Promise.race([settled, waitFor(milliseconds, done.signal)])
}
