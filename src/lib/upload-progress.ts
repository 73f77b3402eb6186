const SHOWN_FROM = 4 << 20

/** Bytes sent, on a terminal and for uploads that take a moment; otherwise nothing. */
export function createUploadProgress(
  {path, size}: {path: string; size: number},
  format: string,
): (sent: number) => void {
  if (!process.stderr.isTTY || size < SHOWN_FROM || (format !== 'table' && format !== 'wide')) return () => {}
  return (sent) => {
    const percent = Math.min(100, Math.floor((sent / size) * 100))
    process.stderr.write(`\r${path}: ${(sent / (1 << 20)).toFixed(0)} MiB (${percent} %)${sent >= size ? '\n' : ''}`)
  }
}
