import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import type {Interfaces} from '@oclif/core'

/** What one check found. */
export interface CheckResult {
  check: string
  status: 'ok' | 'warn' | 'fail'
  message: string
  /** `file:line:column`, a file, or the variable or flag that says it. */
  where?: string
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

export function warn(check: string, message: string, fix: string, where?: string): CheckResult {
  return {check, status: 'warn', message, fix, ...(where === undefined ? {} : {where})}
}

export function fail(check: string, error: unknown, fix: string, where?: string): CheckResult {
  const hint = isAtomError(error) ? (error.hint ?? fix) : fix
  const message = error instanceof Error ? error.message : String(error)
  return {check, status: 'fail', message, fix: hint, ...(where === undefined ? {} : {where})}
}
