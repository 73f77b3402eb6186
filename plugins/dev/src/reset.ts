import {existsSync} from 'node:fs'
import {readdir, rm, rmdir} from 'node:fs/promises'
import {join} from 'node:path'
import {openDatabase} from './database.ts'

/** What the services make in a data directory; nothing else in it is ever deleted. */
const OWN = /^(pgdata(\.partial)?|work|lock(\..+)?)$/

/**
 * Deletes the database and the executions' files, and the directory once it is empty.
 * @throws STORAGE_LOCKED while another process (`serve all`) has it open
 */
export async function deleteData(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  await refuseOpenDatabase(directory)
  for (const name of await readdir(directory)) {
    if (OWN.test(name)) await rm(join(directory, name), {recursive: true, force: true})
  }
  await rmdir(directory).catch(() => {}) // holds files of somebody else
}

// Opening it takes the lock, which is the one sure way to learn that nobody has it; damage is no reason to keep it.
async function refuseOpenDatabase(directory: string): Promise<void> {
  if (!existsSync(join(directory, 'pgdata'))) return
  try {
    await (await openDatabase({directory})).close()
  } catch (error) {
    if ((error as {code?: string}).code === 'STORAGE_LOCKED') throw error
  }
}
