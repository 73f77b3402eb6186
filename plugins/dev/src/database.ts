import type {Storage, StorageOptions} from '@atomctl/storage'
import {servicePackages} from './service-packages.ts'

/** Opens the storage, loading it only now. @throws SERVICES_NOT_INSTALLED, STORAGE_LOCKED and the other errors of the storage */
export async function openDatabase(options: StorageOptions): Promise<Storage> {
  const {loadStorage} = await servicePackages()
  const {openStorage} = await loadStorage()
  return openStorage(options)
}
