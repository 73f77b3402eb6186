import type {Storage, StorageOptions} from '@atomctl/storage'

/** Opens the storage, loading it only now. @throws STORAGE_LOCKED and the other errors of the storage */
export async function openDatabase(options: StorageOptions): Promise<Storage> {
  const {openStorage} = await import('@atomctl/storage')
  return openStorage(options)
}
