import {isAtomError} from '@atomctl/sdk/errors'
import type {Storage, StorageOptions} from '@atomctl/storage'

/** Opens the storage. @throws STORAGE_LOCKED and the other errors of the storage, each with its exit code */
export async function openDatabase(options: StorageOptions): Promise<Storage> {
  const {openStorage, STORAGE_ERRORS} = await import('@atomctl/storage')
  return openStorage(options).catch((error: unknown) => {
    throw withExit(error, STORAGE_ERRORS)
  })
}

/**
 * The process entry maps the codes of the SDK's catalogue to exit codes, and the SDK may not know the services. Their
 * errors bring the exit code along, the way oclif's own do.
 */
function withExit(error: unknown, catalogue: Readonly<Record<string, {exit: number}>>): unknown {
  const exit = isAtomError(error) ? catalogue[error.code]?.exit : undefined
  if (!isAtomError(error) || exit === undefined) return error
  const {code, message, hint} = error
  const text = hint === undefined ? message : `${message}\nhint: ${hint}`
  return Object.assign(new Error(text, {cause: error}), {code, oclif: {exit}})
}
