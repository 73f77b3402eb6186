import {expect} from 'chai'
import {openStorage, type Storage} from '../src/index.ts'
import {describeStorage} from './bytes.suite.ts'
import {rejection} from './support/directory.ts'
import {startPostgresql, type TestDatabase} from './support/postgresql.ts'

describe('storage on PostgreSQL', function () {
  this.timeout(60_000)
  let server: TestDatabase | undefined
  let storage: Storage

  before(async function () {
    server = await startPostgresql()
    if (!server) {
      console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
      return this.skip()
    }
    storage = await openStorage({databaseUrl: server.url})
  })
  after(async () => {
    await storage?.close()
    await server?.stop()
  })

  describeStorage(() => storage)

  it('opens an empty database from several processes, here several storages, at once', async () => {
    await storage.pool.query('create database together')
    const url = new URL(server?.url ?? '')
    url.pathname = '/together'
    const opened = await Promise.all([1, 2, 3, 4].map(() => openStorage({databaseUrl: url.href})))
    for (const other of opened) await other.close()
    await storage.pool.query('drop database together')
  })

  it('migrates once when several processes start together', async () => {
    const others = await Promise.all([1, 2, 3].map(() => openStorage({databaseUrl: server?.url ?? ''})))
    let runs = 0
    const migrations = {'001_first': {up: async () => void (runs += 1)}}
    await Promise.all(others.map((other) => other.migrate('together', migrations)))
    expect(runs).to.equal(1)
    for (const other of others) await other.close()
  })

  it('names the database, never the password, when the server refuses', async () => {
    const url = new URL(server?.url ?? '')
    url.pathname = '/no_such_database'
    url.password = 'hunter2'
    const error = await rejection(openStorage({databaseUrl: url.href}))
    expect(error.code).to.equal('STORAGE_UNREACHABLE')
    expect(error.message).to.contain('no_such_database').and.not.contain('hunter2')
  })
})

describe('storage without a server', () => {
  it('says that nothing answers at the address', async () => {
    const error = await rejection(openStorage({databaseUrl: 'postgresql://u:hunter2@127.0.0.1:1/db'}))
    expect(error.code).to.equal('STORAGE_UNREACHABLE')
    expect(error.message).to.contain('127.0.0.1:1/db').and.not.contain('hunter2')
  })

  it('refuses a URL of something else', async () => {
    const error = await rejection(openStorage({databaseUrl: 'mysql://127.0.0.1:1/db'}))
    expect(error.code).to.equal('STORAGE_UNREACHABLE')
    expect(error.hint).to.contain('postgresql://')
  })
})
