import {mkdir, readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {AtomError, isAtomError} from '@atomctl/wpk/errors'
import {createPgConfig} from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import {startEngine, type Engine} from './engine.ts'
import {explainStorageError} from './errors.ts'
import {lockDirectory, type DirectoryLock} from './lock.ts'
import {startMaintenance} from './maintenance.ts'
import {checkSpace} from './space.ts'
import {createDataDirectory} from './template.ts'

export interface OpenedPool {
  readonly pool: pg.Pool
  close(): Promise<void>
}

/** A new data directory is 22 MB; opening an old one may write as much log. */
const START_BYTES = 32 * 1024 * 1024

/** Opens PGlite in `directory` (created when missing) behind one pool of exactly one connection. */
export async function openPglite(directory: string): Promise<OpenedPool> {
  await mkdir(directory, {recursive: true, mode: 0o700}).catch((error: unknown) => {
    throw explainStorageError(error, directory) ?? error
  })
  const lock = await lockDirectory(directory)
  try {
    return connectPool(await openEngine(directory), lock)
  } catch (error) {
    await lock.release()
    throw explainOpening(directory, error)
  }
}

async function openEngine(directory: string): Promise<Engine> {
  await checkSpace(directory, START_BYTES)
  const dataDirectory = join(directory, 'pgdata')
  const files = await readdir(dataDirectory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!files) await createDataDirectory(dataDirectory)
  else if (!files.includes('PG_VERSION')) throw new Error('pgdata has no PG_VERSION')
  return startEngine(dataDirectory)
}

/**
 * Every client gets a connection object of its own (sharing one, the end of a dropped client would end its successor),
 * but all are PGlite's one session: a transaction that a dropped client left open is ended first. Idle clients are
 * kept: there is nothing to save by closing them.
 */
function connectPool(engine: Engine, lock: DirectoryLock): OpenedPool {
  class PgliteClient extends pg.Client {
    constructor() {
      const {connection} = createPgConfig(engine.session)
      super({connection} as object)
    }
  }
  const onConnect = async (client: pg.ClientBase) => void (await client.query('rollback'))
  const pool = new pg.Pool({Client: PgliteClient, max: 1, idleTimeoutMillis: 0, onConnect})
  pool.on('error', () => {}) // the query that failed tells
  const stopMaintenance = startMaintenance(pool)
  const close = async () => {
    stopMaintenance()
    await pool.end()
    await engine.close()
    await lock.release()
  }
  return {pool, close}
}

/** Whatever keeps PGlite from opening an existing directory is a matter of that directory. */
function explainOpening(directory: string, error: unknown): AtomError {
  const known = explainStorageError(error, directory)
  if (known && known.code !== 'STORAGE_CORRUPT') return known
  const reason = error instanceof Error ? error.message : String(error)
  return new AtomError('STORAGE_CORRUPT', `${directory} holds no usable database: ${reason}`, {
    hint: 'restore a backup, or start empty with atomctl dev reset',
    details: {directory},
    cause: isAtomError(error) ? error.cause : error,
  })
}
