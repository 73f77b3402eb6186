import type {AtomContext} from '@atomctl/sdk/context'

/** What the init hook learned, for the process entry, which has no oclif configuration. */
export interface CurrentRun {
  readonly atom: AtomContext
  readonly version: string
}

let current: CurrentRun | undefined

export function rememberRun(run: CurrentRun): void {
  current = run
}

/** Undefined until the configuration was read: an error before that has no settings. */
export function currentRun(): CurrentRun | undefined {
  return current
}
