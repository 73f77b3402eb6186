import {createHash} from 'node:crypto'
import {expect} from 'chai'
import {pushReply} from '@atomctl/protocol/registry'
import {signFile} from '@atomctl/wpk/signing'
import {Readable} from 'node:stream'
import {createKey, fileOf, packText, signText, writeDocument, type Key} from './support/packages.ts'
import {call, push, startServer, TOKENS, type TestServer} from './support/server.ts'

describe('pushing to the registry', function () {
  this.timeout(60_000)
  let key: Key
  let stranger: Key
  let server: TestServer

  before(async () => {
    ;[key, stranger] = await Promise.all([createKey(), createKey()])
    server = await startServer(key.policy)
  })
  after(() => server?.close())

  describe('a signed document', () => {
    it('registers it and stores the bytes as they came', async () => {
      const text = await signText(writeDocument({name: 'plain'}), key.signer)
      const answer = await push(server, text)
      expect(answer.status).to.equal(200)
      expect(pushReply.parse(answer.body)).to.include({workflow_id: 'plain-1.0.0', status: 'registered', created: true})
      expect(answer.body.digest).to.equal(sha256(text))
      expect((await call(server, '/workflows/plain-1.0.0/content')).body).to.equal(text)
    })

    it('accepts the same bytes again without a second registration', async () => {
      const text = await signText(writeDocument({name: 'again'}), key.signer)
      const first = await push(server, text)
      const before = await call(server, '/workflows/again-1.0.0')
      const second = await push(server, text)
      expect([first.body.created, second.body.created]).to.deep.equal([true, false])
      expect(second.status).to.equal(200)
      expect(second.body.digest).to.equal(first.body.digest)
      expect((await call(server, '/workflows/again-1.0.0')).body).to.deep.equal(before.body)
    })

    it('refuses other bytes under the same version, names both digests and keeps the first', async () => {
      const first = await signText(writeDocument({name: 'fixed', description: 'one'}), key.signer)
      const second = await signText(writeDocument({name: 'fixed', description: 'two'}), key.signer)
      await push(server, first)
      const answer = await push(server, second)
      expect(answer.status).to.equal(409)
      expect(answer.body.code).to.equal('VERSION_EXISTS')
      expect(answer.body.detail).to.contain(sha256(first)).and.contain(sha256(second))
      expect((await call(server, '/workflows/fixed-1.0.0/content')).body).to.equal(first)
    })

    it('lets exactly one of 200 parallel pushes with different bytes win', async () => {
      const texts = await Promise.all(
        Array.from({length: 200}, (_, i) => signText(writeDocument({name: 'race', description: `${i}`}), key.signer)),
      )
      const answers = await Promise.all(texts.map((text) => push(server, text)))
      const winners = answers.flatMap(({status}, i) => (status === 200 ? [texts[i]] : []))
      expect(winners).to.have.length(1)
      expect(answers.filter(({status}) => status === 409)).to.have.length(199)
      expect((await call(server, '/workflows/race-1.0.0/content')).body).to.equal(winners[0])
      const {rows} = await server.storage.pool.query(
        `select count(*)::int from registry_audit where workflow_id = 'race-1.0.0'`,
      )
      expect(rows).to.deep.equal([{count: 1}])
    })

    it('does not care about the file name or type of the part, and takes the last of two', async () => {
      const form = new FormData()
      form.append('file', new Blob(['not: this one']), 'first.yaml')
      form.append('note', 'ignored')
      form.append('file', new Blob([await signText(writeDocument({name: 'last'}), key.signer)]), 'Größe ✓.bin')
      const answer = await call(server, '/workflows', {method: 'POST', body: form})
      expect(answer.body).to.include({workflow_id: 'last-1.0.0', created: true})
    })
  })

  describe('a package archive', () => {
    const files = [fileOf('scripts/run.sh', 'echo run\n'), fileOf('readme.md', 'read me\n')]

    it('registers it with its media type and gives the same bytes back', async () => {
      const archive = await packText(writeDocument({name: 'packed'}), key.signer, files)
      const answer = await push(server, new Uint8Array(archive))
      expect(answer.body).to.include({workflow_id: 'packed-1.0.0', created: true, digest: sha256(archive)})
      const detail = await call(server, '/workflows/packed-1.0.0')
      expect(detail.body).to.include({
        media_type: 'application/gzip',
        size: archive.length,
        file_path: 'data/packed-1.0.0.wpk.tar.gz',
      })
      const response = await fetch(`${server.url}/workflows/packed-1.0.0/content`)
      expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), archive)).to.equal(0)
    })

    it('keeps a detached bundle that verifies, and refuses one that does not', async () => {
      const archive = await packText(writeDocument({name: 'bundled'}), key.signer, files)
      const foreign = await signFile(() => Readable.from([archive]), stranger.signer)
      const refused = await push(server, new Uint8Array(archive), {bundle: JSON.stringify(foreign)})
      expect(refused.status).to.equal(400)
      expect(refused.body).to.include({detail: 'Invalid cosign signature', code: 'SIGNER_UNTRUSTED'})
      expect((await push(server, new Uint8Array(archive), {bundle: '{"no":'})).body.code).to.equal(
        'SIGNATURE_MALFORMED',
      )
      const bundle = await signFile(() => Readable.from([archive]), key.signer)
      expect((await push(server, new Uint8Array(archive), {bundle: JSON.stringify(bundle)})).status).to.equal(200)
      expect((await call(server, '/workflows/bundled-1.0.0/bundle')).body).to.deep.equal(bundle)
    })

    it('refuses an archive whose files are not the signed ones', async () => {
      const signed = await signText(writeDocument({name: 'swapped'}), key.signer, [fileOf('a.sh', 'one')])
      const {packArchive, documentMember} = await import('@atomctl/wpk/archive')
      const other = packArchive([documentMember(Buffer.from(signed)), fileOf('a.sh', 'two')]) as AsyncIterable<Buffer>
      const answer = await push(server, new Uint8Array(Buffer.concat(await Array.fromAsync(other))))
      expect(answer.status).to.equal(400)
      expect(answer.body.code).to.equal('WPK_TAMPERED')
    })

    it('refuses the bare document of a package that was signed together with files', async () => {
      const answer = await push(server, await signText(writeDocument({name: 'bare'}), key.signer, files))
      expect(answer.status).to.equal(400)
      expect(answer.body).to.include({code: 'WPK_TAMPERED'})
      expect(answer.body.reason).to.contain('missing')
    })

    it('refuses gzip that is no package', async () => {
      const {gzipSync} = await import('node:zlib')
      const answer = await push(server, new Uint8Array(gzipSync('not a tar')))
      expect(answer.status).to.equal(400)
      expect(answer.body).to.include({detail: 'Invalid package archive', code: 'ARCHIVE_INVALID'})
    })
  })

  describe('what the registry does not take', () => {
    const refused: [string, () => string | Promise<string>, string, string][] = [
      ['text that is no YAML', () => 'a: [', 'Invalid YAML format', 'WPK_UNREADABLE'],
      ['two documents', () => 'a: 1\n---\nb: 2\n', 'Invalid YAML format', 'WPK_UNREADABLE'],
      ['YAML of something else', () => 'kind: Pod\n', 'Invalid WPK schema', 'WPK_INVALID'],
      ['an unsigned package', () => writeDocument({name: 'refused'}), 'WPK must be signed with cosign', 'WPK_UNSIGNED'],
      [
        'the mock signature of the original tools',
        () => writeDocument({name: 'refused'}).replace('signature: ""', 'signature: "cosign-0123456789abcdef"'),
        'WPK must be signed with cosign',
        'WPK_UNSIGNED',
      ],
      [
        'a signature that cannot be read',
        () => writeDocument({name: 'refused'}).replace('signature: ""', 'signature: "sigstore-bundle:eyJhIjoxfQ=="'),
        'Invalid cosign signature',
        'SIGNATURE_MALFORMED',
      ],
      [
        'a package changed after signing',
        async () =>
          (await signText(writeDocument({name: 'refused'}), key.signer)).replace('echo hello', 'echo changed'),
        'Invalid cosign signature',
        'WPK_TAMPERED',
      ],
      [
        'a package signed by somebody else',
        () => signText(writeDocument({name: 'refused'}), stranger.signer),
        'Invalid cosign signature',
        'SIGNER_UNTRUSTED',
      ],
    ]
    for (const [title, write, detail, code] of refused) {
      it(`refuses ${title}, and nothing is there afterwards`, async () => {
        const before = await countRows(server)
        const answer = await push(server, await write())
        expect(answer.status).to.equal(400)
        expect(answer.body).to.include({detail, code})
        expect(answer.body.reason, 'what exactly was wrong').to.be.a('string')
        expect(await countRows(server)).to.deep.equal(before)
      })
    }

    it('reports every finding of the schema with its place', async () => {
      const text = writeDocument().replace('"1.0.0"', '1.0').replace('kind: Work', 'kind: Wrok')
      const {body} = await push(server, text)
      expect(body.detail).to.equal('Invalid WPK schema')
      expect(body.findings.length).to.be.greaterThan(1)
      expect(body.findings[0]).to.include.keys('rule', 'message', 'path', 'position')
    })

    it('does not destroy what is there when a re-push is refused', async () => {
      const text = await signText(writeDocument({name: 'survivor'}), key.signer)
      await push(server, text)
      await push(server, text.replace('echo hello', 'echo changed'))
      expect((await call(server, '/workflows/survivor-1.0.0/content')).body).to.equal(text)
    })
  })

  describe('requests that are no upload', () => {
    const boundary = 'x'.repeat(20)
    const multipart = (body: string) =>
      call(server, '/workflows', {
        method: 'POST',
        headers: {'content-type': `multipart/form-data; boundary=${boundary}`},
        body,
      })
    const part = (header: string, content: string) => `--${boundary}\r\n${header}\r\n\r\n${content}\r\n`

    it('says when the boundary is missing', async () => {
      const headers = {'content-type': 'multipart/form-data'}
      const answer = await call(server, '/workflows', {method: 'POST', headers, body: 'x'})
      expect([answer.status, answer.body.detail]).to.deep.equal([400, 'Missing boundary in multipart.'])
    })

    for (const [title, body] of [
      ['is cut off inside a part', part('Content-Disposition: form-data; name="file"; filename="a"', 'a: 1')],
      ['is not multipart at all', 'hello'],
      ['has a part without a header end', `--${boundary}\r\nContent-Disposition: form-data; name="file"`],
    ] as const) {
      it(`answers 400 when the body ${title}`, async () => {
        const answer = await multipart(body)
        expect([answer.status, answer.body.detail]).to.deep.equal([400, 'There was an error parsing the body'])
      })
    }

    for (const [title, disposition] of [
      ['without a file name', 'name="file"'],
      ['with an empty file name', 'name="file"; filename=""'],
      ['of another name', 'name="upload"; filename="a.yaml"'],
    ] as const) {
      it(`answers 422 with an array for a part ${title}`, async () => {
        const answer = await multipart(
          `${part(`Content-Disposition: form-data; ${disposition}`, 'a: 1')}--${boundary}--\r\n`,
        )
        expect(answer.status).to.equal(422)
        expect(answer.body.detail[0].loc).to.deep.equal(['body', 'file'])
      })
    }

    for (const type of ['application/json', 'application/x-yaml', 'text/plain', 'application/octet-stream']) {
      it(`answers 422 for a raw ${type} body`, async () => {
        const answer = await call(server, '/workflows', {
          method: 'POST',
          headers: {'content-type': type},
          body: '{"a":1}',
        })
        expect(answer.status).to.equal(422)
        expect(answer.body.detail[0].loc).to.deep.equal(['body', 'file'])
      })
    }

    it('answers 422 for no body', async () => {
      expect((await call(server, '/workflows', {method: 'POST'})).status).to.equal(422)
    })
  })

  describe('who may push', () => {
    it('refuses without a token before it reads the body', async () => {
      const answer = await push(server, 'x'.repeat(10_000_000), {token: null})
      expect([answer.status, answer.body.detail]).to.deep.equal([401, 'Not authenticated'])
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer')
    })

    it('refuses an unknown token and one that may only read', async () => {
      const text = await signText(writeDocument({name: 'forbidden'}), key.signer)
      const unknown = await push(server, text, {token: 'guess'})
      expect([unknown.status, unknown.body.code]).to.deep.equal([401, 'NOT_AUTHENTICATED'])
      const reader = await push(server, text, {token: TOKENS.reader})
      expect([reader.status, reader.body.code]).to.deep.equal([403, 'DENIED'])
      expect((await call(server, '/workflows/forbidden-1.0.0')).status).to.equal(404)
    })
  })
})

function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

async function countRows({storage}: TestServer): Promise<unknown> {
  const tables = ['registry_packages', 'registry_audit', 'storage_bytes', 'storage_chunks']
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`)
  return (await storage.pool.query(`select ${counts.join(', ')}`)).rows[0]
}
