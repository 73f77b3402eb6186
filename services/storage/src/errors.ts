import {AtomError, isAtomError, type ErrorEntry} from '@atomctl/wpk/errors'

/** Errors of the database below the services; the catalogue of the SDK repeats them, and a test compares the two. */
export const STORAGE_ERRORS = {
  STORAGE_LOCKED: {exit: 7, summary: 'Another process has the data directory open'},
  STORAGE_FULL: {exit: 9, summary: 'The disk under the database is full'},
  STORAGE_CORRUPT: {exit: 1, summary: 'The data directory or its content is damaged or of another PostgreSQL version'},
  STORAGE_UNREACHABLE: {exit: 9, summary: 'The database cannot be opened, or refuses the connection'},
  STORAGE_MIGRATION: {exit: 1, summary: 'The database schema cannot be brought to the version of this program'},
  STORAGE_BYTES_MISSING: {exit: 1, summary: 'Stored bytes are not there, or were removed while they were read'},
} as const satisfies Record<string, ErrorEntry>

export type StorageErrorCode = keyof typeof STORAGE_ERRORS

/** SQLSTATE classes (PostgreSQL appendix A) and errno names which a person has to act on. */
const CAUSES: readonly [RegExp, StorageErrorCode, string, string][] = [
  [/^(53100|ENOSPC|EDQUOT)$/, 'STORAGE_FULL', 'no space is left for the database', 'free disk space, then start again'],
  [/^(XX001|XX002|58P01|58030)$/, 'STORAGE_CORRUPT', 'the database content is damaged', 'restore a backup'],
  [/^28/, 'STORAGE_UNREACHABLE', 'the database refuses the user or password', 'check DATABASE_URL'],
  [/^(3D000)$/, 'STORAGE_UNREACHABLE', 'the database does not exist', 'createdb NAME, or check DATABASE_URL'],
  [
    /^(08...|57P0.|53300|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENOENT|EPIPE)$/,
    'STORAGE_UNREACHABLE',
    'the database does not answer',
    'check DATABASE_URL and that PostgreSQL runs',
  ],
  [
    /^(EACCES|EPERM|EROFS|EEXIST|ENOTDIR)$/,
    'STORAGE_UNREACHABLE',
    'this is no directory that can be written',
    'check its owner and mode, or choose another with --data-dir',
  ],
]

/**
 * The AtomError for a failure of the database that a person can act on, with `subject` saying which database;
 * undefined for anything else, above all for mistakes in a query, which stay what they are.
 */
export function explainStorageError(error: unknown, subject: string): AtomError<StorageErrorCode> | undefined {
  if (isAtomError(error)) return error.code in STORAGE_ERRORS ? (error as AtomError<StorageErrorCode>) : undefined
  const code = codeOf(error)
  const found = code === undefined ? undefined : CAUSES.find(([pattern]) => pattern.test(code))
  if (!found) return undefined
  const [, atomCode, message, hint] = found
  return new AtomError(atomCode, `${subject}: ${message} (${code})`, {hint, cause: error})
}

/**
 * Whether the same work may succeed later without anybody changing it: the connection was lost, the server restarts, is
 * full, or chose this transaction as the victim of a deadlock. Whether a COMMIT under way took effect is then unknown.
 */
export function isTransientStorageError(error: unknown): boolean {
  if (isAtomError(error)) return TRANSIENT_ATOMS.has(error.code)
  if (TRANSIENT_CODES.test(codeOf(error) ?? '')) return true
  return error instanceof Error && LOST_CONNECTION.test(error.message)
}

const TRANSIENT_ATOMS: ReadonlySet<string> = new Set(['STORAGE_FULL', 'STORAGE_CORRUPT', 'STORAGE_UNREACHABLE'])
const TRANSIENT_CODES =
  /^(08...|53...|57P0.|25P03|40001|40P01|ENOSPC|ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)$/
/** What pg says of a connection that is gone; it gives these errors no code. */
const LOST_CONNECTION = /^(Connection terminated|Client has encountered a connection error|Query read timeout)/

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (/no space left on device/i.test(error.message)) return 'ENOSPC' // PGlite's file system has messages, no errno names
  if (error.message.includes('timeout exceeded when trying to connect')) return 'ETIMEDOUT' // pg's pool sets no code
  const {code} = error as {code?: unknown}
  return typeof code === 'string' ? code : undefined
}
