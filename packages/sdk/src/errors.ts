import {AtomError, type AtomErrorOptions, type ErrorEntry, isAtomError, WPK_ERRORS} from '@atomctl/wpk/errors'
import {suggestName} from '@atomctl/wpk/suggestion'

export {AtomError, isAtomError, type AtomErrorOptions, type ErrorEntry}

/** Errors of the command line and its clients; docs/errors.md documents every code (a test compares them). */
const CLI_ERRORS = {
  INTERNAL: {exit: 1, summary: 'A bug in atomctl'},
  USAGE: {exit: 2, summary: 'The command line is not understood'},
  CONFIG_INVALID: {exit: 2, summary: 'A configuration file or environment variable has a value that cannot be used'},
  INPUT_MISSING: {exit: 2, summary: 'A file named on the command line does not exist'},
  INPUT_UNREADABLE: {exit: 2, summary: 'A file named on the command line cannot be read'},
  INPUT_REQUIRED: {exit: 2, summary: 'An answer is needed and there is no terminal to ask on'},
  OUTPUT_FAILED: {exit: 1, summary: 'A file could not be written; what was there before is unchanged'},
  OUTPUT_EXISTS: {exit: 7, summary: 'The output file exists and was not to be replaced'},
  PROTECTED_CONTEXT: {exit: 2, summary: 'The context is protected and its name was not confirmed'},
  POLICY_BLOCKED: {exit: 5, summary: 'The security policy blocks the package'},
  DRY_RUN_REQUIRED: {exit: 5, summary: 'The package asks for a passed dry run with the same parameters first'},
  TEST_FAILED: {exit: 3, summary: 'A case of a test file did not come out as expected'},
  TEST_INVALID: {exit: 3, summary: 'A test file cannot be read, or does not fit its package'},
  COVERAGE_TOO_LOW: {exit: 3, summary: 'The tests cover less of the packages than was asked for'},
  CHECK_FAILED: {exit: 1, summary: 'doctor found something that has to be put right'},
  GATE_NOT_RUN: {exit: 5, summary: 'The signature check did not run, so the command refuses to'},
  PLUGIN_UNTRUSTED: {exit: 5, summary: 'A plugin trust list does not allow the plugin'},
  PLUGIN_CHANGED: {exit: 11, summary: 'The plugin is not what was approved'},
  PLUGIN_CONFLICT: {exit: 7, summary: 'The plugin would take the place of something of atomctl or of another plugin'},
  PLUGIN_INVALID: {exit: 3, summary: 'The package is not a plugin that this atomctl can use'},
  PLUGIN_TRUST_INVALID: {exit: 2, summary: 'A plugin trust list or the list of approved plugins cannot be read'},
  PLUGIN_INSTALL_FAILED: {exit: 1, summary: 'npm could not fetch or unpack the plugin; nothing was installed'},
  NPM_MISSING: {exit: 1, summary: 'npm is needed to install plugins and was not found'},
  SECRET_DENIED: {exit: 5, summary: 'A secret may not be read: by Vault, or by this runtime'},
  SECRET_NOT_FOUND: {exit: 6, summary: 'A secret is in none of its sources'},
  SECRET_UNAVAILABLE: {exit: 9, summary: 'The service that keeps a secret cannot be asked for it'},
  SECRET_INVALID: {exit: 3, summary: 'What lies at the place of a secret cannot be used as one'},
  NOT_AUTHENTICATED: {exit: 4, summary: 'The service wants a valid token'},
  IDENTITY_TOKEN_INVALID: {
    exit: 4,
    summary: 'There is no identity token to sign or log in with, or one that cannot be used',
  },
  LOGIN_FAILED: {exit: 4, summary: 'The login was refused, ran out of time or brought no usable token'},
  TOKEN_EXPIRED: {exit: 4, summary: 'The token of the last login has expired and could not be refreshed'},
  CREDENTIALS_INVALID: {exit: 2, summary: 'The file of the logins is damaged, or others may read it'},
  DENIED: {exit: 5, summary: 'The service understood the token and refuses the action'},
  NOT_FOUND: {exit: 6, summary: 'The service does not know this workflow or execution'},
  ENDPOINT_NOT_FOUND: {exit: 6, summary: 'The URL answers, but is not the service expected there'},
  CONFLICT: {exit: 7, summary: 'The change contradicts the present state'},
  VERSION_EXISTS: {exit: 7, summary: 'The registry holds other bytes under this name and version'},
  REQUEST_REJECTED: {exit: 3, summary: 'The service found the request or the package invalid'},
  NOT_SUPPORTED: {exit: 1, summary: 'The service does not offer this'},
  RELEASE_STALE: {exit: 7, summary: 'The signed listing of a release is older than one that is known'},
  SERVICES_NOT_INSTALLED: {exit: 6, summary: 'The registry and the runtime are not part of this installation'},
  UNAVAILABLE: {exit: 9, summary: 'The service cannot be reached or answers with a server error'},
  TIMEOUT: {exit: 9, summary: 'The service did not answer in time'},
  PROTOCOL: {exit: 9, summary: 'The service answers something that is not its protocol'},
  STORAGE_LOCKED: {exit: 7, summary: 'Another process has the data directory open'},
  STORAGE_FULL: {exit: 9, summary: 'The disk under the database is full'},
  STORAGE_CORRUPT: {exit: 1, summary: 'The data directory or its content is damaged or of another PostgreSQL version'},
  STORAGE_UNREACHABLE: {exit: 9, summary: 'The database cannot be opened, or refuses the connection'},
  STORAGE_MIGRATION: {exit: 1, summary: 'The database schema cannot be brought to the version of this program'},
  STORAGE_BYTES_MISSING: {exit: 1, summary: 'Stored bytes are not there, or were removed while they were read'},
  APPROVAL_PENDING: {exit: 8, summary: 'The execution waits for approval and does not run yet'},
  EXECUTION_FAILED: {exit: 20, summary: 'The execution failed'},
  EXECUTION_CANCELLED: {exit: 21, summary: 'The execution was cancelled'},
  EXECUTION_REJECTED: {exit: 22, summary: 'The execution was rejected'},
  EXECUTION_ROLLED_BACK: {exit: 23, summary: 'The execution failed and was rolled back'},
  ROLLBACK_FAILED: {exit: 24, summary: 'The execution failed and so did its rollback'},
  WAIT_TIMEOUT: {exit: 124, summary: 'The wait ended; the execution goes on'},
  COMMAND_NOT_FOUND: {exit: 127, summary: 'There is no such command'},
  INTERRUPTED: {exit: 130, summary: 'Interrupted (Ctrl-C)'},
  TERMINATED: {exit: 143, summary: 'Terminated (SIGTERM)'},
} as const satisfies Record<string, ErrorEntry>

/** The one error catalogue: code → exit code and meaning. */
export const ERRORS = {...WPK_ERRORS, ...CLI_ERRORS}
export type ErrorCode = keyof typeof ERRORS

/** An error as every format shows it. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  /** The process exit code; not part of the printed envelope. */
  readonly exit: number
}

const SYSTEM_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'INPUT_MISSING',
  EACCES: 'INPUT_UNREADABLE',
  EPERM: 'INPUT_UNREADABLE',
  EISDIR: 'INPUT_UNREADABLE',
  ENOTDIR: 'INPUT_UNREADABLE',
  ELOOP: 'INPUT_UNREADABLE',
  ENOSPC: 'OUTPUT_FAILED',
  EDQUOT: 'OUTPUT_FAILED',
  EROFS: 'OUTPUT_FAILED',
}

/** What any thrown value means to the person at the keyboard: ours, oclif's, Node's, or a bug. */
export function reportOf(error: unknown): ErrorReport {
  if (isAtomError(error)) return reportAtomError(error)
  const {code, message, oclif} = readUnknown(error)
  const system = code === undefined ? undefined : SYSTEM_ERRORS[code]
  if (system) return {code: system, message, exit: ERRORS[system].exit}
  if (oclif?.exit === 2) return {code: 'USAGE', message: firstParagraph(message), exit: 2, ...usageHint(error)}
  if (oclif?.exit) return {code: code ?? 'INTERNAL', message, exit: oclif.exit}
  return {code: 'INTERNAL', message: message || 'Unknown error', exit: 1}
}

function reportAtomError({code, message, hint, details}: AtomError): ErrorReport {
  const exit = code in ERRORS ? ERRORS[code as ErrorCode].exit : 1
  return {code, message, exit, ...(hint === undefined ? {} : {hint}), ...(details === undefined ? {} : {details})}
}

interface UnknownError {
  code?: string
  message: string
  oclif?: {exit?: number}
}

function readUnknown(error: unknown): UnknownError {
  if (!(error instanceof Error)) return {message: String(error)}
  const {code, message, oclif} = error as Error & {code?: unknown; oclif?: {exit?: number}}
  return {message, ...(typeof code === 'string' ? {code} : {}), ...(oclif ? {oclif} : {})}
}

// oclif appends "See more help with --help"; the hint says it in our form.
function firstParagraph(message: string): string {
  return message.replace(/\nSee more help with --help\s*$/, '').trim()
}

function usageHint(error: unknown): {hint?: string} {
  const {parse, flags} = error as {parse?: {input?: {flags?: object}}; flags?: readonly unknown[]}
  if (parse === undefined) return {}
  const meant = meantFlag(flags?.[0], Object.keys(parse.input?.flags ?? {}))
  return {hint: meant ? `did you mean ${meant}?` : 'add --help to see the arguments and flags'}
}

// oclif lists the flags that do not exist as they were typed.
function meantFlag(typed: unknown, names: readonly string[]): string | undefined {
  if (typeof typed !== 'string' || !typed.startsWith('--')) return undefined
  const meant = suggestName(typed.slice(2).split('=', 1)[0] ?? '', names)
  return meant && `--${meant}`
}

/** The options of an error, to build another one from it. */
export function optionsOf({hint, details, cause}: AtomError): AtomErrorOptions {
  return {...(hint === undefined ? {} : {hint}), ...(details === undefined ? {} : {details}), cause}
}

/** For what a service does not know: the same error with the name that was asked for in its details. */
export function nameMissing(details: {readonly workflow_id: string} | {readonly execution_id: string}) {
  return (error: unknown): never => {
    if (!isAtomError(error) || error.code !== 'NOT_FOUND') throw error
    throw new AtomError(error.code, error.message, {...optionsOf(error), details: {...error.details, ...details}})
  }
}

/**
 * A service's refusal said as the command's own failure, `Push failed: 401`, the service's words kept in
 * details.detail. Anything that is no answer of a service passes unchanged.
 */
export function describeFailure(action: string, error: unknown): unknown {
  if (!isAtomError(error) || typeof error.details?.['status'] !== 'number') return error
  return new AtomError(error.code, `${action}: ${error.details['status']}`, optionsOf(error))
}
