import {randomBytes} from 'node:crypto'
import {mkdtemp, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {Readable} from 'node:stream'
import {expect} from 'chai'
import {openStorage} from '@atomctl/storage'
import type {PackageFile} from '@atomctl/wpk/archive'
import type {Signer} from '@atomctl/wpk/signing'
import {spawnServer, type ServerProcess} from './support/child.ts'
import {packText, signText, writeDocument, writeKey} from './support/packages.ts'
import {call, push} from './support/server.ts'

describe('a registry that stops', function () {
  this.timeout(120_000)
  let directory: string
  let data: string
  let signer: Signer
  let policyFile: string
  const running: ServerProcess[] = []

  const start = async () => {
    const server = await spawnServer(data, policyFile)
    running.push(server)
    return server
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'atomctl-durability-'))
    data = join(directory, 'data')
    ;({signer, policyFile} = await writeKey(directory))
  })
  afterEach(async () => {
    for (const server of running.splice(0)) await server.kill('SIGKILL')
    await rm(directory, {recursive: true, force: true})
  })

  it('has everything after it was killed: packages, bytes, runs and order', async () => {
    const first = await start()
    const archive = await packText(writeDocument({name: 'packed'}), signer, [noise('noise.bin', 3_000_000)])
    await push(first, new Uint8Array(archive))
    for (const name of ['one', 'two']) await push(first, await signText(writeDocument({name}), signer))
    await call(first, '/workflows/one-1.0.0/runs/notify', {method: 'POST', json: {run_id: 'r', status: 'completed'}})
    const before = await call(first, '/workflows')
    await first.kill('SIGKILL')

    const second = await start()
    expect((await call(second, '/workflows')).body).to.deep.equal(before.body)
    const content = await fetch(`${second.url}/workflows/packed-1.0.0/content`)
    expect(Buffer.compare(Buffer.from(await content.arrayBuffer()), archive)).to.equal(0)
    expect((await call(second, '/workflows/one-1.0.0/runs')).body.runs).to.have.length(1)
  })

  it('shows a package whole or not at all when it is killed during pushes', async () => {
    const archives = await Promise.all(
      Array.from({length: 4}, (_, i) =>
        packText(writeDocument({name: `p${i}`}), signer, [noise('noise.bin', 4_000_000)]),
      ),
    )
    const first = await start()
    const pushes = archives.map((archive) =>
      push(first, new Uint8Array(archive)).then(
        ({status}) => status,
        () => 0,
      ),
    )
    await Promise.race(pushes) // one is in, the others are somewhere on their way
    await first.kill('SIGKILL')
    const answered = await Promise.all(pushes)

    const second = await start()
    const {body} = await call(second, '/workflows')
    const listed = body.workflows.map(({id}: {id: string}) => id)
    for (const [i, archive] of archives.entries()) {
      const id = `p${i}-1.0.0`
      if (answered[i] === 200) expect(listed, 'what was acknowledged').to.include(id)
      if (!listed.includes(id)) expect((await push(second, new Uint8Array(archive))).body.created).to.equal(true)
      const content = await fetch(`${second.url}/workflows/${id}/content`)
      expect(Buffer.compare(Buffer.from(await content.arrayBuffer()), archive)).to.equal(0)
    }
    await second.kill('SIGKILL')
    await expectNoOrphans(data)
  })
})

/** Every stored byte belongs to a package. */
async function expectNoOrphans(data: string): Promise<void> {
  expect((await readdir(dirname(data))).filter((name) => name.startsWith('atomctl-upload-'))).to.deep.equal([])
  const storage = await openStorage({directory: data})
  const text = `select (select count(*) from storage_bytes where id not in (select bytes_id from registry_packages))::int as orphans,
    (select count(*) from registry_packages)::int as packages, (select count(*) from registry_audit)::int as audited`
  const {rows} = await storage.pool.query(text)
  await storage.close()
  expect(rows).to.deep.equal([{orphans: 0, packages: 4, audited: 4}])
}

/** A file that does not compress. */
function noise(path: string, size: number): PackageFile {
  const bytes = randomBytes(size)
  return {path, size, exec: false, open: () => Readable.from([bytes])}
}
