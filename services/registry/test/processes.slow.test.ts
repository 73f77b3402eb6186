import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import {connect} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {expect} from 'chai'
import {openStorage} from '@atomctl/storage'
import type {PackageFile} from '@atomctl/wpk/archive'
import type {Signer} from '@atomctl/wpk/signing'
import {startPostgresql, type TestDatabase} from '../../storage/test/support/postgresql.ts'
import {spawnServer, type ServerProcess} from './support/child.ts'
import {packText, writeDocument, writeKey} from './support/packages.ts'
import {call, push, TOKENS} from './support/server.ts'

// Real processes, so that one can die while it writes and the others go on.
describe('registries in several processes on one PostgreSQL', function () {
  this.timeout(300_000)
  let database: TestDatabase | undefined
  let directory: string
  let signer: Signer
  let policyFile: string
  const servers: ServerProcess[] = []

  before(async function () {
    database = await startPostgresql()
    if (!database) {
      console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
      return this.skip()
    }
    directory = await mkdtemp(join(tmpdir(), 'atomctl-processes-'))
    ;({signer, policyFile} = await writeKey(directory))
    for (let i = 0; i < 3; i += 1) servers.push(await spawnServer(database.url, policyFile))
  })
  after(async () => {
    for (const server of servers) await server.kill('SIGKILL')
    await database?.stop()
    if (directory) await rm(directory, {recursive: true, force: true})
  })

  const server = (i: number): ServerProcess => servers[i % 3]!
  const packageOf = (name: string): Promise<Uint8Array> =>
    packText(writeDocument({name}), signer, [noise('noise.bin', 4_000_000)])

  it('let exactly one of the pushes of other bytes under the same version win, and answer 409 to the rest', async () => {
    const archives = await Promise.all(Array.from({length: 9}, () => packageOf('race')))
    const answers = await Promise.all(archives.map((archive, i) => push(server(i), new Uint8Array(archive))))
    const winners = archives.filter((_, i) => answers[i]?.status === 200)
    expect(winners).to.have.length(1)
    expect(answers.filter(({status, body}) => status === 409 && body.code === 'VERSION_EXISTS')).to.have.length(8)
    for (const each of servers) expect(await contentOf(each, 'race-1.0.0')).to.deep.equal(Buffer.from(winners[0]!))
    expect(await orphans()).to.equal(0)
  })

  it('show nothing of an upload whose process was killed half-way through it', async () => {
    const dying = await spawnServer(database!.url, policyFile)
    servers.push(dying)
    const archive = await packageOf('half')
    const socket = await beginUpload(dying, archive)
    await dying.kill('SIGKILL')
    socket.destroy()
    expect((await call(server(0), '/workflows/half-1.0.0')).status).to.equal(404)
    expect(await orphans()).to.equal(0)
    expect((await push(server(0), new Uint8Array(archive))).body.created).to.equal(true)
    expect(await contentOf(server(1), 'half-1.0.0')).to.deep.equal(Buffer.from(archive))
  })

  it('show every package whole or not at all when a process is killed while it stores them', async () => {
    const dying = await spawnServer(database!.url, policyFile)
    servers.push(dying)
    const archives = await Promise.all(Array.from({length: 4}, (_, i) => packageOf(`p${i}`)))
    const pushes = archives.map((archive) =>
      push(dying, new Uint8Array(archive)).then(
        ({status}) => status,
        () => 0,
      ),
    )
    await Promise.race(pushes) // one is in, the others are somewhere on their way
    await dying.kill('SIGKILL')
    const answered = await Promise.all(pushes)
    expect(answered).to.include(200)
    for (const [i, archive] of archives.entries()) {
      const id = `p${i}-1.0.0`
      const {status} = await call(server(0), `/workflows/${id}`)
      expect(status).to.equal(answered[i] === 200 || status === 200 ? 200 : 404)
      const again = await push(server(i), new Uint8Array(archive))
      expect([again.status, again.body.created]).to.deep.equal([200, status !== 200])
      expect(await contentOf(server(i + 1), id)).to.deep.equal(Buffer.from(archive))
    }
  })

  /** Stored bytes that belong to no package. */
  async function orphans(): Promise<number> {
    const storage = await openStorage({databaseUrl: database!.url})
    const text = 'select count(*)::int from storage_bytes where id not in (select bytes_id from registry_packages)'
    const {rows} = await storage.pool.query(text).finally(() => storage.close())
    return (rows[0] as {count: number}).count
  }
})

async function contentOf({url}: ServerProcess, id: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${url}/workflows/${id}/content`)).arrayBuffer())
}

/** Sends all of a push but its end, and resolves when the server has taken half of it at least. */
async function beginUpload({url}: ServerProcess, archive: Uint8Array) {
  const {hostname, port} = new URL(url)
  const head = `--x\r\ncontent-disposition: form-data; name="file"; filename="half.wpk.tar.gz"\r\n\r\n`
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(
    `POST /workflows HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${TOKENS.publisher}\r\n` +
      `content-type: multipart/form-data; boundary=x\r\ncontent-length: ${head.length + archive.length + 9}\r\n\r\n${head}`,
  )
  await new Promise<void>((resolve) => socket.write(archive.subarray(0, archive.length - 1), () => resolve()))
  return socket
}

/** A file that does not compress. */
function noise(path: string, size: number): PackageFile {
  const bytes = randomBytes(size)
  return {path, size, exec: false, open: () => Readable.from([bytes])}
}
