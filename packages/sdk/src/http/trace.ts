/** Headers whose values may be shown; all others could carry a secret. */
const SHOWN: ReadonlySet<string> = new Set([
  'accept',
  'allow',
  'content-length',
  'content-type',
  'date',
  'etag',
  'last-event-id',
  'retry-after',
  'server',
  'transfer-encoding',
  'user-agent',
])

/** Headers for a debug line: known harmless ones with their value, the rest by name only. */
export function showHeaders(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${SHOWN.has(name.toLowerCase()) ? printable(value) : '[redacted]'}`)
    .join(', ')
}

function printable(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?')
}
