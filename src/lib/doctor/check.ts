import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import type {Interfaces} from '@oclif/core'

/** What one check found. */
export interface CheckResult {
  check: string
  status: 'ok' | 'warn' | 'fail'
  message: string
  /** A command or an edit. */
  fix?: string
  /** A failure that may pass by itself: a service that does not answer. */
  transient?: boolean
}

export interface CheckInput {
  readonly atom: AtomContext
  readonly config: Interfaces.Config
  /** The clock the services' are compared with. */
  readonly now: () => Date
}

/** One thing to look at; may have several things to say. Never throws for what it finds. */
export type Check = (input: CheckInput) => Promise<CheckResult[]>

export function ok(check: string, message: string): CheckResult {
  return {check, status: 'ok', message}
}

export function warn(check: string, message: string, fix: string): CheckResult {
  return {check, status: 'warn', message, fix}
}

export function fail(check: string, error: unknown, fix: string): CheckResult {
  const hint = isAtomError(error) ? (error.hint ?? fix) : fix
  return {check, status: 'fail', message: error instanceof Error ? error.message : String(error), fix: hint}
}
