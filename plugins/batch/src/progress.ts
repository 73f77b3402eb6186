import type {BatchItem} from './item.ts'

const HEARTBEAT = 30_000
const REDRAW = 100

export interface Progress extends Disposable {
  ended(item: BatchItem): void
}

/** One line that counts, on a terminal; elsewhere a line every 30 s. On stderr, and nothing where `shown` is false. */
export function showProgress(total: number, {shown, terminal}: {shown: boolean; terminal: boolean}): Progress {
  const started = performance.now()
  let done = 0
  let failed = 0
  let drawn = 0
  const line = (): string => {
    const speed = Math.round(done / Math.max(0.001, (performance.now() - started) / 1000))
    return `${done}/${total}${failed === 0 ? '' : `, ${failed} failed`} (${speed}/s)`
  }
  const heartbeat = setInterval(() => shown && !terminal && process.stderr.write(`… ${line()}\n`), HEARTBEAT)
  heartbeat.unref()
  return {
    ended({status}) {
      done += 1
      if (status === 'failed') failed += 1
      if (!shown || !terminal || performance.now() - drawn < REDRAW) return
      drawn = performance.now()
      process.stderr.write(`\r${line()}\u001B[K`)
    },
    [Symbol.dispose]() {
      clearInterval(heartbeat)
      if (shown && terminal) process.stderr.write('\r\u001B[K')
    },
  }
}
