import {expect} from 'chai'
import {startPostgresql, type TestDatabase} from '../../storage/test/support/postgresql.ts'
import {createKey, fileOf, packText, signText, writeDocument, type Key} from './support/packages.ts'
import {call, push, startServer, type TestServer} from './support/server.ts'

describe('two registries on one PostgreSQL', function () {
  this.timeout(60_000)
  let database: TestDatabase | undefined
  let key: Key
  let servers: TestServer[] = []

  before(async function () {
    database = await startPostgresql()
    if (!database) {
      console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
      return this.skip()
    }
    key = await createKey()
    const databaseUrl = database.url
    servers = await Promise.all([1, 2].map(() => startServer(key.policy, {databaseUrl})))
  })
  after(async () => {
    await Promise.all(servers.map((server) => server.close()))
    await database?.stop()
  })

  const server = (i: number): TestServer => {
    const found = servers[i % 2]
    if (!found) throw new Error('no server was started')
    return found
  }

  it('let exactly one of 200 pushes to both with different bytes win', async () => {
    const texts = await Promise.all(
      Array.from({length: 200}, (_, i) => signText(writeDocument({name: 'race', description: `${i}`}), key.signer)),
    )
    const answers = await Promise.all(texts.map((text, i) => push(server(i), text)))
    const winners = answers.flatMap(({status}, i) => (status === 200 ? [texts[i]] : []))
    expect(winners).to.have.length(1)
    expect(answers.filter(({status}) => status === 409)).to.have.length(199)
    expect((await call(server(0), '/workflows/race-1.0.0/content')).body).to.equal(winners[0])
  })

  it('let everybody pushing the same archive succeed, one of them with created', async () => {
    const big = fileOf('big.txt', Array.from({length: 600_000}, (_, i) => `${(i * 7919) % 1_000_003}`).join('\n'))
    const archive = new Uint8Array(await packText(writeDocument({name: 'same'}), key.signer, [big]))
    expect(archive.length, 'large enough to be staged').to.be.greaterThan(1024 * 1024)
    const answers = await Promise.all(Array.from({length: 6}, (_, i) => push(server(i), archive)))
    expect(answers.map(({status}) => status)).to.deep.equal(answers.map(() => 200))
    expect(answers.filter(({body}) => body.created)).to.have.length(1)
    const orphans = 'select count(*)::int from storage_bytes where id not in (select bytes_id from registry_packages)'
    expect((await server(0).storage.pool.query(orphans)).rows).to.deep.equal([{count: 0}])
  })

  it('show a reader that pages every package exactly once while others push', async () => {
    const texts = await Promise.all(
      Array.from({length: 40}, (_, i) => signText(writeDocument({name: `flow-${i}`}), key.signer)),
    )
    const pushing = Promise.all(texts.map((text, i) => push(server(i), text)))
    const seen = await readPages(server(0), pushing)
    const all = (await call(server(1), '/workflows')).body.workflows.map(({id}: {id: string}) => id)
    expect(seen).to.deep.equal(all)
  })

  it('answer 503 with a code when the database is gone, and 200 to nobody', async () => {
    await database?.stop()
    database = undefined
    const health = await call(server(0), '/health')
    expect(health.status).to.equal(503)
    const list = await call(server(1), '/workflows')
    expect([list.status, list.body.code]).to.deep.equal([503, 'STORAGE_UNREACHABLE'])
    expect(JSON.stringify(list.body)).to.not.contain('node_modules')
  })
})

/** Pages on from the last package seen, until everything that was pushed has been read. */
async function readPages(server: TestServer, pushing: Promise<unknown>): Promise<string[]> {
  const seen: string[] = []
  const pushes = {areDone: false}
  void pushing.finally(() => (pushes.areDone = true))
  for (;;) {
    const {areDone} = pushes
    const found = await readPage(server, seen.at(-1))
    seen.push(...found)
    if (areDone && found.length === 0) return seen
  }
}

async function readPage(server: TestServer, last: string | undefined): Promise<string[]> {
  const {rows} = await server.storage.pool.query('select seq from registry_packages where id = $1', [last])
  const cursor = Buffer.from(`seq:${rows[0]?.seq ?? 0}`).toString('base64url')
  const {body} = await call(server, `/workflows?limit=3&cursor=${cursor}`)
  return body.workflows.map(({id}: {id: string}) => id)
}
