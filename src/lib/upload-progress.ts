import type {Environment} from '@atomctl/sdk/config'

const SHOWN_FROM = 4 << 20

/** Bytes sent, on a terminal that can redraw a line, for uploads that take a moment; otherwise nothing. */
export function createUploadProgress(
  {path, size}: {path: string; size: number},
  format: string,
  environment: Environment,
): (sent: number) => void {
  const isShown = process.stderr.isTTY && environment['TERM'] !== 'dumb' && (format === 'table' || format === 'wide')
  if (!isShown || size < SHOWN_FROM) return () => {}
  return (sent) => {
    const percent = Math.min(100, Math.floor((sent / size) * 100))
    process.stderr.write(`\r${path}: ${(sent / (1 << 20)).toFixed(0)} MiB (${percent} %)${sent >= size ? '\n' : ''}`)
  }
}
