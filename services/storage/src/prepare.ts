import {rename, rm, writeFile} from 'node:fs/promises'
import {PGlite} from '@electric-sql/pglite'
import {templateFile} from './template.ts'

/**
 * Makes the prepared data directory as a gzipped tar. initdb takes 2–4 s and up to 1 GB of memory, so it runs at
 * build time (`node services/storage/lib/prepare.js`) or once in a child process, and every first start only unpacks
 * its result. This file must run as it is, built or not: it imports no other room.
 */
export async function prepareDataDirectory(file: string): Promise<void> {
  const database = await PGlite.create({initDbStartParams: ['--wal-segsize=1', '--no-sync']})
  // Nothing ever creates a database here: without template0 the directory is a third smaller.
  await database.exec(`update pg_database set datistemplate = false, datallowconn = true where datname = 'template0'`)
  await database.exec('drop database template0')
  await database.exec('checkpoint')
  const dump = await database.dumpDataDir('gzip')
  await database.close()
  const partial = `${file}.${process.pid}`
  try {
    await writeFile(partial, new Uint8Array(await dump.arrayBuffer()))
    await rename(partial, file)
  } finally {
    await rm(partial, {force: true})
  }
}

if (import.meta.main) await prepareDataDirectory(process.argv[2] ?? (await templateFile()))
