import {AtomError} from '@atomctl/wpk/errors'
import pg from 'pg'
import {explainStorageError} from './errors.ts'
import type {OpenedPool} from './pglite.ts'
import {watchConnections} from './watchdog.ts'

const NOT_POSTGRESQL = 'the database URL does not begin with postgresql://'
const HINT = 'set DATABASE_URL to postgresql://USER@HOST:5432/NAME'
const CONNECTIONS = 8
const CONNECT_TIMEOUT_MS = 10_000

/** Opens the pool of a PostgreSQL server and makes sure that it answers; errors never show the password. */
export async function openPostgresql(databaseUrl: string): Promise<OpenedPool> {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) throw new AtomError('STORAGE_UNREACHABLE', NOT_POSTGRESQL, {hint: HINT})
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'atomctl',
    keepAlive: true,
  })
  pool.on('error', () => {}) // an idle client lost its server: the pool drops it, the next query connects anew
  const stopWatching = watchConnections(pool, databaseUrl)
  try {
    await pool.query('select 1')
  } catch (error) {
    stopWatching()
    await pool.end()
    throw explainStorageError(error, describeUrl(databaseUrl)) ?? error
  }
  const close = async () => {
    stopWatching()
    await pool.end()
  }
  return {pool, close}
}

function describeUrl(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return 'DATABASE_URL'
  const {host, pathname} = new URL(databaseUrl)
  return `PostgreSQL ${host}${pathname}`
}
