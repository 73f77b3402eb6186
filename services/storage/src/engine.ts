import {setFlagsFromString} from 'node:v8'
import {AtomError} from '@atomctl/wpk/errors'
import {PGlite} from '@electric-sql/pglite'

/** PostgreSQL inside this process. */
export interface Engine {
  /** What `createPgConfig` needs of a PGlite; it refuses everything once PostgreSQL has stopped itself. */
  readonly session: PGlite
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

/** Starts PostgreSQL on an existing data directory. The error says what PostgreSQL itself said last. */
export async function startEngine(dataDirectory: string): Promise<Engine> {
  keepCompilerSmall()
  const log = new ServerLog()
  const startParams = [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])]
  try {
    const database = await PGlite.create(dataDirectory, {startParams, onStderr: (line) => log.write(line)})
    await database.query('select 1')
    return {session: guardSession(database, log), close: () => closeDatabase(database, log)}
  } catch (cause) {
    throw describeStop(log.lastWords ?? firstLine(cause), cause)
  }
}

/**
 * Optimizing PostgreSQL's huge WebAssembly functions takes V8 up to 600 MB for a fifth more statements per second;
 * with the baseline compiler alone an idle server is 180 MB instead of 410, and opens faster.
 */
function keepCompilerSmall(): void {
  for (const flag of ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag)
}

/** What PostgreSQL prints. After a PANIC a real server process would be gone; PGlite's code just runs on. */
class ServerLog {
  panic: string | undefined
  lastWords: string | undefined

  write(line: string): boolean {
    const [, level, message] = /\b(FATAL|PANIC): +(.*)/.exec(line) ?? []
    if (message !== undefined) this.lastWords = message
    if (level === 'PANIC') this.panic = message
    return true
  }
}

/** Going on after a PANIC would hang this process at best, and write nonsense at worst. */
function guardSession(database: PGlite, log: ServerLog): PGlite {
  const execute: PGlite['execProtocolStream'] = async (message, options) => {
    if (log.panic !== undefined) throw describeStop(log.panic)
    return database.execProtocolStream(message, options)
  }
  return {waitReady: database.waitReady, execProtocolStream: execute} as PGlite
}

async function closeDatabase(database: PGlite, log: ServerLog): Promise<void> {
  if (log.panic === undefined) await database.close()
}

function describeStop(reason: string, cause?: unknown): AtomError {
  if (/no space left/i.test(reason)) {
    return new AtomError('STORAGE_FULL', `the database stopped: ${reason}`, {
      hint: 'free disk space, then start again: nothing that was confirmed is lost',
      cause,
    })
  }
  return new AtomError('STORAGE_CORRUPT', `the database stopped: ${reason}`, {
    hint: 'start again; if that fails, restore a backup, or start empty with atomctl dev reset',
    cause,
  })
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
