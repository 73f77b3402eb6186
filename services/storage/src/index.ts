import {Kysely, PostgresDialect} from 'kysely'
import type {Migration} from 'kysely/migration'
import type pg from 'pg'
import {BYTE_MIGRATIONS, createByteStore, type ByteStore} from './bytes.ts'
import {migrateComponent} from './migrations.ts'
import {openPglite} from './pglite.ts'
import {openPostgresql} from './postgresql.ts'
import {checkSpace} from './space.ts'

export type {AnyTransaction, ByteStore, StoredBytes} from './bytes.ts'
export {explainStorageError, isTransientStorageError, STORAGE_ERRORS, type StorageErrorCode} from './errors.ts'
export {DirectSession} from './session.ts'
export {templateFile} from './template.ts'

/**
 * The one database of a process. There is exactly one pool, shared by everything in it: on PGlite a second one would
 * interleave the statements of two transactions in the same session without any error.
 */
export interface Storage {
  readonly kind: 'postgresql' | 'pglite'
  readonly pool: pg.Pool
  readonly bytes: ByteStore
  /** A typed view of the pool; never call its `destroy`, close the storage. */
  database<T>(): Kysely<T>
  migrate(component: string, migrations: Record<string, Migration>): Promise<void>
  close(): Promise<void>
}

/** `directory` opens PGlite there, created when missing; `databaseUrl` is a postgresql:// URL. */
export type StorageOptions = {readonly databaseUrl: string} | {readonly directory: string}

/** Throws STORAGE_LOCKED, STORAGE_CORRUPT, STORAGE_FULL, STORAGE_UNREACHABLE or STORAGE_MIGRATION. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const kind = 'directory' in options ? 'pglite' : 'postgresql'
  const opened =
    'directory' in options ? await openPglite(options.directory) : await openPostgresql(options.databaseUrl)
  const {pool} = opened
  const kysely = new Kysely<unknown>({dialect: new PostgresDialect({pool})})
  const bytes = createByteStore(kysely, pool, 'directory' in options ? () => checkSpace(options.directory) : undefined)
  try {
    await migrateComponent(kysely, 'storage', BYTE_MIGRATIONS)
    await bytes.sweep({all: kind === 'pglite'})
  } catch (error) {
    await opened.close()
    throw error
  }
  return {
    kind,
    pool,
    bytes,
    database: <T>() => kysely as Kysely<T>,
    migrate: (component, migrations) => migrateComponent(kysely, component, migrations),
    close: () => opened.close(),
  }
}
