import {mkdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setFlagsFromString} from 'node:v8'
import {AtomError} from '@atomctl/wpk/errors'
import {PGlite} from '@electric-sql/pglite'
import {createPgConfig} from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import {explainStorageError} from './errors.ts'
import {lockDirectory, type DirectoryLock} from './lock.ts'
import {createDataDirectory} from './template.ts'

export interface OpenedPool {
  readonly pool: pg.Pool
  close(): Promise<void>
}

/** The default of 128 MB shared buffers costs 200 MB resident; a developer's registry never fills 16. */
const SETTINGS = [
  'shared_buffers=16MB',
  'wal_buffers=256kB',
  'work_mem=2MB',
  'maintenance_work_mem=16MB',
  'temp_buffers=1MB',
  'min_wal_size=2MB',
  'max_wal_size=32MB',
]

/** Opens PGlite in `directory` (created when missing) behind one pool of exactly one connection. */
export async function openPglite(directory: string): Promise<OpenedPool> {
  await mkdir(directory, {recursive: true, mode: 0o700}).catch((error: unknown) => {
    throw explainStorageError(error, directory) ?? error
  })
  const lock = await lockDirectory(directory)
  try {
    const database = await openDatabase(directory)
    return connectPool(database, lock)
  } catch (error) {
    await lock.release()
    throw explainStorageError(error, directory) ?? corruptError(directory, error)
  }
}

async function openDatabase(directory: string): Promise<PGlite> {
  keepCompilerSmall()
  const dataDirectory = join(directory, 'pgdata')
  if ((await dataVersion(directory)) === undefined) await createDataDirectory(dataDirectory)
  const startParams = [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])]
  const database = await PGlite.create(dataDirectory, {startParams})
  await database.query('select 1')
  return database
}

/**
 * Optimizing PostgreSQL's huge WebAssembly functions takes V8 up to 600 MB for a fifth more statements per second;
 * with the baseline compiler alone an idle server is 180 MB instead of 410, and opens faster.
 */
function keepCompilerSmall(): void {
  for (const flag of ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag)
}

/** The major version in PG_VERSION; undefined when the directory was never made. */
async function dataVersion(directory: string): Promise<string | undefined> {
  const text = await readFile(join(directory, 'pgdata', 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => error,
  )
  if (typeof text === 'string') return text.trim()
  if (text.code !== 'ENOENT') throw text
  const exists = await readFile(join(directory, 'pgdata')).then(
    () => true,
    ({code}) => code !== 'ENOENT',
  )
  if (exists) throw corruptError(directory, text)
  return undefined
}

/**
 * Every client gets a connection object of its own (sharing one, the end of a dropped client would end its successor),
 * but all are PGlite's one session: a transaction that a dropped client left open is ended first. Idle clients are
 * kept: there is nothing to save by closing them.
 */
function connectPool(database: PGlite, lock: DirectoryLock): OpenedPool {
  class PgliteClient extends pg.Client {
    constructor() {
      const {connection} = createPgConfig(database)
      super({connection} as object)
    }
  }
  const onConnect = async (client: pg.ClientBase) => void (await client.query('rollback'))
  const pool = new pg.Pool({Client: PgliteClient, max: 1, idleTimeoutMillis: 0, onConnect})
  pool.on('error', () => {})
  const maintenance = startMaintenance(pool)
  const close = async () => {
    clearInterval(maintenance)
    await pool.end()
    await database.close()
    await lock.release()
  }
  return {pool, close}
}

const MAINTENANCE_MS = 10_000
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const CHECKPOINTS_PER_VACUUM = 8

/**
 * PGlite runs PostgreSQL as a single process: without checkpointer and autovacuum the write-ahead log and dead rows
 * would grow until the next start. Both are done here once enough was written.
 */
function startMaintenance(pool: pg.Pool): NodeJS.Timeout {
  let checkpoints = 0
  let done = 0
  const run = async () => {
    const {rows} = await pool.query<{written: string}>(`select pg_current_wal_lsn() - '0/0'::pg_lsn as written`)
    const written = Number(rows[0]?.written)
    if (written - done < CHECKPOINT_BYTES) return
    done = written
    checkpoints += 1
    await pool.query('checkpoint')
    if (checkpoints % CHECKPOINTS_PER_VACUUM === 0) await pool.query('vacuum analyze')
  }
  // A failure here repeats in the next query of a user, who gets to see it.
  return setInterval(() => void run().catch(() => {}), MAINTENANCE_MS).unref()
}

function corruptError(directory: string, cause: unknown): AtomError {
  const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
  return new AtomError('STORAGE_CORRUPT', `${directory} holds no usable database: ${reason}`, {
    hint: 'restore a backup, or start empty with atomctl dev reset',
    details: {directory},
    cause,
  })
}
