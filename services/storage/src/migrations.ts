import {AtomError, isAtomError} from '@atomctl/wpk/errors'
import type {Kysely} from 'kysely'
import {Migrator, type Migration} from 'kysely/migration'
import {explainStorageError} from './errors.ts'

/**
 * Brings the tables of one component to its newest version. Components share a database, so each has its own
 * migration tables. Throws STORAGE_MIGRATION, also when the database was made by a newer program.
 */
export async function migrateComponent(
  database: Kysely<unknown>,
  component: string,
  migrations: Record<string, Migration>,
): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: {getMigrations: async () => migrations},
    migrationTableName: `${component}_migration`,
    migrationLockTableName: `${component}_migration_lock`,
  })
  const {error, results} = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find(({status}) => status === 'Error')?.migrationName
  throw migrationError(component, failed, error)
}

function migrationError(component: string, failed: string | undefined, cause: unknown): AtomError {
  const known = explainStorageError(cause, `the tables of ${component}`)
  if (known && isAtomError(known)) return known
  const step = failed ? ` at ${failed}` : ''
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AtomError('STORAGE_MIGRATION', `the tables of ${component} cannot be migrated${step}: ${reason}`, {
    hint: 'run the newest atomctl that used this database, or restore a backup',
    cause,
  })
}
