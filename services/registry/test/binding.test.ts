import {loadDocument} from '@atomctl/wpk/document'
import {signDocument} from '@atomctl/wpk/signing'
import {expect} from 'chai'
import {createKey, type Key, writeDocument} from './support/packages.ts'
import {call, push, startServer, type TestServer} from './support/server.ts'

describe('a signature that is bound to a registry', function () {
  this.timeout(60_000)
  let key: Key
  let server: TestServer

  before(async () => {
    key = await createKey()
    server = await startServer(key.policy, {
      publicUrls: () => ['http://127.0.0.1:8000', 'https://registry.example.com'],
    })
  })
  after(() => server?.close())

  async function bound(name: string, registry: string): Promise<string> {
    const document = loadDocument(Buffer.from(writeDocument({name})), 'wpk.yaml')
    return (await signDocument(document, key.signer, {registry})).text
  }

  it('is refused on upload when it names another registry, and nothing is there afterwards', async () => {
    const answer = await push(server, await bound('foreign', 'https://elsewhere.example.com'))
    expect([answer.status, answer.body.code]).to.deep.equal([400, 'WPK_TAMPERED'])
    expect(answer.body.hint).to.be.a('string')
    expect((await call(server, '/workflows/foreign-1.0.0')).status).to.equal(404)
  })

  it('is accepted under any name of this registry', async () => {
    expect((await push(server, await bound('loopback', 'http://127.0.0.1:8000'))).status).to.equal(200)
    expect((await push(server, await bound('public', 'https://REGISTRY.example.com:443/'))).status).to.equal(200)
  })

  it('is not compared where the registry does not know what it is called', async () => {
    const nameless = await startServer(key.policy)
    try {
      expect((await push(nameless, await bound('nameless', 'https://elsewhere.example.com'))).status).to.equal(200)
    } finally {
      await nameless.close()
    }
  })
})
