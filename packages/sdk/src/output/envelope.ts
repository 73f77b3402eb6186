import type {ErrorReport} from '../errors.ts'

export const API_VERSION = 'atomctl.dev/v1'

/** What every command prints with `-o json` or `-o yaml`, also when it fails. */
export interface Envelope {
  readonly apiVersion: typeof API_VERSION
  readonly kind: string
  readonly data: unknown
  readonly warnings: readonly string[]
  readonly error?: Omit<ErrorReport, 'exit'>
}

export function createEnvelope(
  kind: string,
  data: unknown,
  warnings: readonly string[],
  error?: ErrorReport,
): Envelope {
  const base = {apiVersion: API_VERSION, kind, data: data ?? null, warnings} as const
  if (!error) return base
  const {exit: _, ...shown} = error
  return {...base, error: shown}
}
