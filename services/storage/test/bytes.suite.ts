import {createHash} from 'node:crypto'
import {expect} from 'chai'
import type {Storage} from '../src/index.ts'
import {rejection} from './support/directory.ts'

const MEBIBYTE = 1024 * 1024

/** What holds for the byte store and transactions on every database; `storage` is open while the tests run. */
export function describeStorage(storage: () => Storage): void {
  for (const size of [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE + 17]) {
    it(`returns ${size} bytes as they came, with their digest`, async () => {
      const content = Buffer.from(Array.from({length: size}, (_, i) => (i * 31 + (i >> 8)) & 255))
      const stored = await storage().bytes.write(inPieces(content, 70_001))
      expect(stored.size).to.equal(size)
      expect(stored.digest).to.equal(`sha256:${createHash('sha256').update(content).digest('hex')}`)
      expect(Buffer.compare(await readAll(storage(), stored.id), content)).to.equal(0)
    })
  }

  it('keeps rows at 1 MiB at most, whatever the pieces were', async () => {
    const {id} = await storage().bytes.write(inPieces(Buffer.alloc(5 * MEBIBYTE), 3 * MEBIBYTE))
    const {rows} = await storage().pool.query('select max(length(data)) from storage_chunks where bytes_id = $1', [id])
    expect(rows[0].max).to.be.at.most(MEBIBYTE)
  })

  it('leaves nothing behind when the source of the bytes fails', async () => {
    const before = await countRows(storage())
    const failing = async function* () {
      yield Buffer.alloc(2 * MEBIBYTE)
      throw new Error('connection lost')
    }
    expect((await rejection(storage().bytes.write(failing()))).message).to.equal('connection lost')
    expect(await countRows(storage())).to.equal(before)
  })

  it('stores inside a transaction and forgets with it', async () => {
    const before = await countRows(storage())
    const work = storage()
      .database<object>()
      .transaction()
      .execute(async (transaction) => {
        await storage().bytes.write(inPieces(Buffer.from('gone'), 2), transaction)
        throw new Error('changed my mind')
      })
    expect((await rejection(work)).message).to.equal('changed my mind')
    expect(await countRows(storage())).to.equal(before)
  })

  it('sweeps what was staged and not kept, and nothing else', async () => {
    const abandoned = await storage().bytes.stage(inPieces(Buffer.from('abandoned'), 4))
    const kept = await storage().bytes.stage(inPieces(Buffer.from('kept'), 4))
    await storage()
      .database<object>()
      .transaction()
      .execute((transaction) => storage().bytes.keep(kept.id, transaction))
    expect(await storage().bytes.sweep(), 'too young to be abandoned').to.equal(0)
    await storage().bytes.sweep({all: true})
    expect((await readAll(storage(), kept.id)).toString()).to.equal('kept')
    expect((await rejection(readAll(storage(), abandoned.id))).code).to.equal('STORAGE_BYTES_MISSING')
  })

  it('says that bytes are gone when they are removed under a reader', async () => {
    const {id} = await storage().bytes.write(inPieces(Buffer.alloc(3 * MEBIBYTE), MEBIBYTE))
    const reader = storage().bytes.read(id)[Symbol.asyncIterator]()
    await reader.next()
    await storage().bytes.remove(id)
    expect((await rejection(reader.next())).code).to.equal('STORAGE_BYTES_MISSING')
  })

  it('keeps a transaction to itself while others use the pool', async () => {
    const database = storage().database<{marks: {id: number}}>()
    await database.schema.createTable('marks').addColumn('id', 'integer').execute()
    const refused = database.transaction().execute(async (transaction) => {
      await transaction.insertInto('marks').values({id: 1}).execute()
      throw new Error('undo')
    })
    const others = Array.from({length: 20}, (_, i) =>
      database
        .insertInto('marks')
        .values({id: 10 + i})
        .execute(),
    )
    await Promise.all([rejection(refused), ...others])
    const rows = await database.selectFrom('marks').selectAll().orderBy('id').execute()
    expect(rows.map(({id}) => id)).to.deep.equal(Array.from({length: 20}, (_, i) => 10 + i))
    await database.schema.dropTable('marks').execute()
  })

  it('ends a transaction whose client was dropped half-way', async () => {
    const client = await storage().pool.connect()
    await client.query('begin')
    await client.query('create table half_way (id integer)')
    client.release(new Error('broken client'))
    const {rows} = await storage().pool.query(`select to_regclass('half_way') as found`)
    expect(rows).to.deep.equal([{found: null}])
  })

  it('runs migrations of components side by side, and only once', async () => {
    let runs = 0
    const migrations = {'001_first': {up: async () => void (runs += 1)}}
    await storage().migrate('one', migrations)
    await storage().migrate('one', migrations)
    await storage().migrate('two', migrations)
    expect(runs).to.equal(2)
  })

  it('refuses a database that a newer program has migrated further', async () => {
    const first = {up: async () => {}}
    await storage().migrate('newer', {'001_first': first, '002_second': first})
    const error = await rejection(storage().migrate('newer', {'001_first': first}))
    expect(error.code).to.equal('STORAGE_MIGRATION')
    expect(error.message).to.contain('newer').and.contain('002_second')
  })
}

async function* inPieces(content: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < content.length; offset += size) yield content.subarray(offset, offset + size)
}

async function readAll(storage: Storage, id: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(storage.bytes.read(id)))
}

async function countRows(storage: Storage): Promise<number> {
  const text = 'select (select count(*) from storage_bytes) + (select count(*) from storage_chunks) as count'
  const {rows} = await storage.pool.query<{count: string}>(text)
  return Number(rows[0]?.count)
}
