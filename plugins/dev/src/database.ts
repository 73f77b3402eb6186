import {ERRORS} from '@atomctl/sdk/errors'
import type {Storage, StorageOptions} from '@atomctl/storage'

/**
 * Opens the storage. Its errors join the catalogue at this moment: the SDK, which owns the catalogue, may not import
 * a service. @throws STORAGE_LOCKED and the other errors of the storage
 */
export async function openDatabase(options: StorageOptions): Promise<Storage> {
  const {openStorage, STORAGE_ERRORS} = await import('@atomctl/storage')
  Object.assign(ERRORS, STORAGE_ERRORS)
  return openStorage(options)
}
