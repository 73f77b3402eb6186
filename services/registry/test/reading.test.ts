import {createHash} from 'node:crypto'
import {expect} from 'chai'
import {versionList, workflowDetail, workflowList} from '@atomctl/protocol/registry'
import {createKey, fileOf, packText, signText, writeDocument, type Key, type PackageFacts} from './support/packages.ts'
import {call, push, startServer, TOKENS, type TestServer} from './support/server.ts'

const STORED: PackageFacts[] = [
  {name: 'restart', version: '1.0.0', description: 'Restart what is unhealthy', tags: ['pods', 'sre']},
  {name: 'restart', version: '1.10.0', description: 'Restart what is unhealthy', tags: ['pods']},
  {name: 'restart', version: '1.9.0', description: 'Restart what is unhealthy', tags: []},
  {name: 'backup', description: 'Proves 100% of backups_can be restored', tags: ['data', 'sre'], mode: 'auto'},
  {name: 'rotate', description: 'Rotates a secret', tags: ['security']},
]

describe('reading from the registry', function () {
  this.timeout(60_000)
  let key: Key
  let server: TestServer
  const texts = new Map<string, string>()

  before(async () => {
    key = await createKey()
    server = await startServer(key.policy)
    for (const facts of STORED) {
      const text = await signText(writeDocument(facts), key.signer)
      const {body} = await push(server, text)
      texts.set(body.workflow_id, text)
    }
  })
  after(() => server?.close())

  const ids = async (query: string) => {
    const {status, body} = await call(server, `/workflows${query}`)
    expect(status).to.equal(200)
    return workflowList.parse(body).workflows.map(({id}) => id)
  }

  describe('the list', () => {
    it('shows everything in the order of registration, with all fields of the protocol', async () => {
      const {body} = await call(server, '/workflows', {token: null})
      expect(body.total).to.equal(5)
      expect(body.workflows.map(({id}: {id: string}) => id)).to.deep.equal([...texts.keys()])
      const text = texts.get('backup-1.0.0') ?? ''
      expect(body.workflows[3]).to.deep.include({
        id: 'backup-1.0.0',
        name: 'backup',
        version: '1.0.0',
        description: 'Proves 100% of backups_can be restored',
        author: 'Team',
        created: '2026-01-02T03:04:05Z',
        tags: ['data', 'sre'],
        safety_mode: 'auto',
        runtime_type: 'shell',
        file_path: 'data/backup-1.0.0.wpk.yaml',
        media_type: 'application/yaml',
        size: Buffer.byteLength(text),
        digest: sha256(text),
      })
      expect(body.workflows[3].registered_at).to.match(/^\d{4}-\d\d-\d\dT.*Z$/)
      expect(body.workflows[3].signature).to.be.a('string').and.not.equal('')
      expect(body.workflows[3]).to.not.have.any.keys('signed_at', 'latest_run_id', 'total_runs')
    })

    const filters: [string, string[]][] = [
      ['?tag=sre', ['restart-1.0.0', 'backup-1.0.0']],
      ['?tag=SRE', []],
      ['?tag=sr', []],
      ['?safety_mode=auto', ['backup-1.0.0']],
      ['?runtime=k8s', []],
      ['?tag=sre&safety_mode=manual', ['restart-1.0.0']],
      ['?tag=', ['restart-1.0.0', 'restart-1.10.0', 'restart-1.9.0', 'backup-1.0.0', 'rotate-1.0.0']],
      ['?tag=none&tag=data', ['backup-1.0.0']],
      ['?name=rotate', ['rotate-1.0.0']],
      ['?name=rot', []],
      ['?q=SECRET', ['rotate-1.0.0']],
      ['?q=restart+pods', ['restart-1.0.0', 'restart-1.10.0']],
      ['?q=100%25', ['backup-1.0.0']],
      ['?q=backups_can', ['backup-1.0.0']],
      ['?q=backups%25can', []],
      [`?q=${encodeURIComponent(`'; drop table registry_packages; --`)}`, []],
      ['?unknown=1&tag=data', ['backup-1.0.0']],
    ]
    for (const [query, expected] of filters) {
      it(`filters by ${query}`, async () => {
        expect(await ids(query)).to.deep.equal(expected)
      })
    }

    it('pages without loss or repetition while packages come in', async () => {
      const seen: string[] = []
      let cursor = ''
      for (let page = 0; page < 10; page += 1) {
        const {body} = await call(server, `/workflows?limit=2${cursor && `&cursor=${cursor}`}`)
        seen.push(...body.workflows.map(({id}: {id: string}) => id))
        expect(body.workflows.length).to.be.at.most(2)
        if (page === 0) await push(server, await signText(writeDocument({name: 'newcomer'}), key.signer))
        cursor = body.next_cursor
        if (!cursor) break
      }
      expect(seen).to.deep.equal([...texts.keys(), 'newcomer-1.0.0'])
      await call(server, '/workflows/newcomer-1.0.0', {method: 'DELETE'})
    })

    it('counts all matches in total, however few a page shows', async () => {
      const {body} = await call(server, '/workflows?name=restart&limit=1')
      expect([body.total, body.workflows.length]).to.deep.equal([3, 1])
      const rest = await call(server, `/workflows?name=restart&cursor=${body.next_cursor}`)
      expect([rest.body.total, rest.body.workflows.length, rest.body.next_cursor]).to.deep.equal([3, 2, null])
    })

    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=two',
      'cursor=%21',
      'cursor=c2VxOnRlbg',
      `q=${'x'.repeat(300)}`,
    ]) {
      it(`answers 422 to ${query.slice(0, 20)} and says where`, async () => {
        const {status, body} = await call(server, `/workflows?${query}`)
        expect(status).to.equal(422)
        expect(body.detail[0].loc).to.deep.equal(['query', query.split('=', 1)[0]])
      })
    }
  })

  describe('one package', () => {
    it('shows the entry and the parsed document, with the digest as ETag', async () => {
      const {body, headers} = await call(server, '/workflows/restart-1.0.0', {token: null})
      workflowDetail.parse(body)
      expect(body.wpk_content.metadata).to.include({name: 'restart', created: '2026-01-02T03:04:05Z'})
      expect(body.wpk_content.spec.handlers[0].config).to.deep.equal({command: 'echo hello'})
      expect(headers.get('etag')).to.equal(`"${sha256(texts.get('restart-1.0.0') ?? '')}"`)
    })

    it('streams the stored bytes with length, type, ETag and digest', async () => {
      const text = texts.get('restart-1.0.0') ?? ''
      const {body, headers} = await call(server, '/workflows/restart-1.0.0/content')
      expect(body).to.equal(text)
      expect(headers.get('content-type')).to.equal('application/yaml')
      expect(headers.get('content-length')).to.equal(String(Buffer.byteLength(text)))
      expect(headers.get('etag')).to.equal(`"${sha256(text)}"`)
      expect(headers.get('digest')).to.equal(`sha-256=${createHash('sha256').update(text).digest('base64')}`)
    })

    it('answers 304 without content to who has the bytes', async () => {
      const etag = `"${sha256(texts.get('restart-1.0.0') ?? '')}"`
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const answer = await call(server, '/workflows/restart-1.0.0/content', {headers: {'if-none-match': header}})
        expect([answer.status, answer.body]).to.deep.equal([304, ''])
      }
      const other = await call(server, '/workflows/restart-1.0.0/content', {headers: {'if-none-match': '"sha256:0"'}})
      expect(other.status).to.equal(200)
    })

    it('gives the bundle that is inside the document', async () => {
      const {status, body, headers} = await call(server, '/workflows/restart-1.0.0/bundle')
      expect(status).to.equal(200)
      expect(headers.get('content-type')).to.contain('sigstore.bundle')
      expect(body).to.have.property('dsseEnvelope')
    })

    it('lists the versions of a name by number, newest first', async () => {
      const {body} = await call(server, '/packages/restart/versions')
      expect(versionList.parse(body).versions.map(({version}) => version)).to.deep.equal(['1.10.0', '1.9.0', '1.0.0'])
      expect(body.versions[2]).to.include({id: 'restart-1.0.0', digest: sha256(texts.get('restart-1.0.0') ?? '')})
      expect((await call(server, '/packages/nothing/versions')).status).to.equal(404)
    })

    for (const path of ['', '/content', '/bundle']) {
      it(`answers 404 at ${path || '/'} for ids that are not there, whatever they hold`, async () => {
        for (const id of [
          'missing-1.0.0',
          'restart',
          'trail%0A-1.0.0',
          '..%2F..%2Fetc%2Fpasswd',
          "'--",
          'ü',
          'x'.repeat(400),
        ]) {
          const {status, body} = await call(server, `/workflows/${id}${path}`)
          expect([status, body.detail]).to.deep.equal([404, 'Workflow not found'])
        }
      })
    }

    it('answers 422 to a null character, which no database text can hold', async () => {
      for (const path of ['/workflows/a%00-1.0.0', '/workflows?tag=%00', '/workflows?q=a%00b']) {
        expect((await call(server, path)).status).to.equal(422)
      }
    })
  })

  describe('for a runtime in the same process', () => {
    it('opens packages by id', async () => {
      const opened = await server.packages.open('restart-1.0.0')
      const text = texts.get('restart-1.0.0') ?? ''
      expect(opened).to.include({digest: sha256(text), mediaType: 'application/yaml'})
      expect(Buffer.concat(await Array.fromAsync(opened?.chunks ?? [])).toString()).to.equal(text)
      expect(await server.packages.open('missing-1.0.0')).to.equal(undefined)
    })
  })

  describe('deleting', () => {
    it('is for admins, removes entry and bytes, and is a 404 the second time', async () => {
      const archive = await packText(writeDocument({name: 'doomed'}), key.signer, [
        fileOf('big.txt', 'x'.repeat(3_000_000)),
      ])
      await push(server, new Uint8Array(archive))
      const count = 'select count(*)::int from storage_bytes'
      const before = (await server.storage.pool.query(count)).rows[0].count
      const refused = await call(server, '/workflows/doomed-1.0.0', {method: 'DELETE', token: TOKENS.publisher})
      expect(refused.status).to.equal(403)
      const deleted = await call(server, '/workflows/doomed-1.0.0', {method: 'DELETE'})
      expect(deleted.status).to.equal(200)
      expect(deleted.body.message).to.be.a('string')
      expect((await call(server, '/workflows/doomed-1.0.0', {method: 'DELETE'})).status).to.equal(404)
      expect((await server.storage.pool.query(count)).rows[0].count).to.equal(before - 1)
    })

    it('frees the version, and the audit log tells who did what to which digest', async () => {
      const [one, two] = await Promise.all(
        ['one', 'two'].map((description) => signText(writeDocument({name: 'reused', description}), key.signer)),
      )
      await push(server, one ?? '')
      await call(server, '/workflows/reused-1.0.0', {method: 'DELETE'})
      expect((await push(server, two ?? '')).body.created).to.equal(true)
      const {rows} = await server.storage.pool.query(
        `select who, action, digest from registry_audit where workflow_id = 'reused-1.0.0' order by seq`,
      )
      expect(rows).to.deep.equal([
        {who: 'the publisher', action: 'push', digest: sha256(one ?? '')},
        {who: 'the admin', action: 'delete', digest: sha256(one ?? '')},
        {who: 'the publisher', action: 'push', digest: sha256(two ?? '')},
      ])
    })
  })
})

function sha256(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
