import {createHash, randomUUID} from 'node:crypto'
import {AtomError} from '@atomctl/wpk/errors'
import {sql, type Kysely, type Transaction} from 'kysely'
import type {Migration} from 'kysely/migration'
import type pg from 'pg'

/** A row passes through memory as a whole, several times over: four times this size cost 100 MB more at 200 MB. */
const CHUNK_BYTES = 256 * 1024
const CHUNKS_PER_CHECK = 64
const ABANDONED_AFTER = '1 hour'

export interface StoredBytes {
  readonly id: string
  /** `sha256:<hex>`. */
  readonly digest: string
  readonly size: number
}

/** Any transaction will do, whatever tables it is typed for: this store only touches its own. */
export type AnyTransaction = Pick<Transaction<unknown>, 'isTransaction'>

/**
 * Bytes of any length in rows of 256 KiB, in constant memory. Outside a transaction every chunk is a statement
 * of its own: PGlite has one connection, and 200 MB inside one transaction would stop everyone else for seconds.
 * What was staged but never kept is invisible to users and swept later, so a crash leaves nothing behind.
 */
export interface ByteStore {
  /** Stores and keeps. With a transaction everything happens inside it: for small content only. */
  write(chunks: AsyncIterable<Uint8Array>, transaction?: AnyTransaction): Promise<StoredBytes>
  /** Stores without keeping: `keep` it in the transaction that refers to it, else it is swept. */
  stage(chunks: AsyncIterable<Uint8Array>): Promise<StoredBytes>
  keep(id: string, transaction: AnyTransaction): Promise<void>
  /** Throws STORAGE_BYTES_MISSING when unknown or removed meanwhile. */
  read(id: string): AsyncIterable<Uint8Array>
  remove(id: string, transaction?: AnyTransaction): Promise<void>
  /** Removes what was staged and abandoned; `all` when no other process can be writing. */
  sweep(options?: {all?: boolean}): Promise<number>
}

interface ByteTables {
  storage_bytes: {id: string; kept: boolean; digest: string | null; size: string | number | null; created_at: Date}
  storage_chunks: {bytes_id: string; position: number; data: Buffer}
}

export const BYTE_MIGRATIONS: Record<string, Migration> = {
  '001_bytes': {
    async up(database) {
      await database.schema
        .createTable('storage_bytes')
        .addColumn('id', 'uuid', (column) => column.primaryKey())
        .addColumn('kept', 'boolean', (column) => column.notNull())
        .addColumn('digest', 'text')
        .addColumn('size', 'bigint')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
        .execute()
      await database.schema
        .createTable('storage_chunks')
        .addColumn('bytes_id', 'uuid', (column) => column.notNull().references('storage_bytes.id').onDelete('cascade'))
        .addColumn('position', 'integer', (column) => column.notNull())
        .addColumn('data', 'bytea', (column) => column.notNull())
        .addPrimaryKeyConstraint('storage_chunks_key', ['bytes_id', 'position'])
        .execute()
      // Packages come compressed: trying again only costs time.
      await sql`alter table storage_chunks alter column data set storage external`.execute(database)
    },
  },
}

/** `checkSpace` is asked before every few chunks and throws when there is no room for more. */
export function createByteStore(
  database: Kysely<ByteTables>,
  pool: pg.Pool,
  checkSpace: () => Promise<void> = async () => {},
): ByteStore {
  const measured = (chunks: AsyncIterable<Uint8Array>) => withSpace(evenChunks(chunks), checkSpace)
  return {
    write: (chunks, transaction) => writeChunks(within(transaction) ?? database, measured(chunks), true),
    stage: (chunks) => writeChunks(database, measured(chunks), false),
    keep: (id, transaction) => keepBytes(within(transaction), id),
    read: (id) => readChunks(pool, id),
    remove: (id, transaction) => removeBytes(within(transaction) ?? database, id),
    sweep: ({all = false} = {}) => sweepBytes(database, all),
  }
}

function within<T extends AnyTransaction | undefined>(transaction: T): Kysely<ByteTables> | Extract<T, undefined> {
  return transaction as unknown as Kysely<ByteTables> | Extract<T, undefined>
}

async function writeChunks(
  database: Kysely<ByteTables>,
  chunks: AsyncIterable<Buffer>,
  keep: boolean,
): Promise<StoredBytes> {
  const id = randomUUID()
  await database.insertInto('storage_bytes').values({id, kept: false, created_at: new Date()}).execute()
  try {
    const measured = await insertChunks(database, id, chunks)
    await database
      .updateTable('storage_bytes')
      .set({...measured, kept: keep})
      .where('id', '=', id)
      .execute()
    return {id, ...measured}
  } catch (error) {
    if (!database.isTransaction) await removeBytes(database, id).catch(() => {}) // the first error is the one to tell
    throw error
  }
}

async function insertChunks(database: Kysely<ByteTables>, id: string, chunks: AsyncIterable<Buffer>) {
  const digest = createHash('sha256')
  let size = 0
  let position = 0
  for await (const data of chunks) {
    digest.update(data)
    size += data.length
    await database.insertInto('storage_chunks').values({bytes_id: id, position, data}).execute()
    position += 1
  }
  return {digest: `sha256:${digest.digest('hex')}`, size}
}

/** The same bytes in pieces of exactly CHUNK_BYTES, the last one shorter; each is valid until the next is asked for. */
async function* evenChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  let filled = 0
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length;) {
      const part = chunk.subarray(offset, offset + CHUNK_BYTES - filled)
      buffer.set(part, filled)
      filled += part.length
      offset += part.length
      if (filled < CHUNK_BYTES) continue
      yield buffer
      filled = 0
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled)
}

async function* withSpace(chunks: AsyncIterable<Buffer>, checkSpace: () => Promise<void>): AsyncGenerator<Buffer> {
  let position = 0
  for await (const chunk of chunks) {
    if (position % CHUNKS_PER_CHECK === 0) await checkSpace()
    position += 1
    yield chunk
  }
}

async function keepBytes(transaction: Kysely<ByteTables>, id: string): Promise<void> {
  const result = await transaction
    .updateTable('storage_bytes')
    .set({kept: true})
    .where('id', '=', id)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) throw missingError(id)
}

/** One short query per chunk, so that a slow reader holds no connection. (pg's binary mode is broken on PGlite.) */
async function* readChunks(pool: pg.Pool, id: string): AsyncGenerator<Uint8Array> {
  const {rows} = await pool.query<{size: string}>('select size from storage_bytes where id = $1 and size is not null', [
    id,
  ])
  if (!rows[0]) throw missingError(id)
  const size = Number(rows[0].size)
  const text = 'select data from storage_chunks where bytes_id = $1 and position = $2'
  for (let position = 0, received = 0; received < size; position += 1) {
    const chunk = await pool.query<{data: Buffer}>(text, [id, position])
    const data = chunk.rows[0]?.data
    if (!data) throw missingError(id)
    received += data.length
    yield data
  }
}

async function removeBytes(database: Kysely<ByteTables>, id: string): Promise<void> {
  await database.deleteFrom('storage_bytes').where('id', '=', id).execute()
}

async function sweepBytes(database: Kysely<ByteTables>, all: boolean): Promise<number> {
  const result = await database
    .deleteFrom('storage_bytes')
    .where('kept', '=', false)
    .$if(!all, (query) => query.where(sql<boolean>`created_at < now() - ${ABANDONED_AFTER}::interval`))
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

function missingError(id: string): AtomError<'STORAGE_BYTES_MISSING'> {
  return new AtomError('STORAGE_BYTES_MISSING', `stored bytes ${id} are gone`, {
    hint: 'the package was deleted meanwhile, or a backup was restored in part; push it again',
  })
}
