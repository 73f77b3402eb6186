import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

/** A temporary directory that is gone after `use`. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-storage-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

export async function rejection(promise: Promise<unknown>): Promise<Error & {code?: string; hint?: string}> {
  return promise.then(
    () => {
      throw new Error('expected a rejection')
    },
    (error: unknown) => error as Error,
  )
}
