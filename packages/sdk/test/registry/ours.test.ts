import {createHash} from 'node:crypto'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {createHttpClient, type HttpClient} from '@atomctl/sdk/http'
import {createRegistryClient, type RegistryClient} from '@atomctl/sdk/registry'
import {documentFromJson, loadDocument} from '@atomctl/wpk/document'
import {type VerifiedDocument, verifyDocument} from '@atomctl/wpk/trust'
import {
  createKey,
  fileOf,
  type Key,
  type PackageFacts,
  packText,
  signText,
  writeDocument,
} from '../../../../services/registry/test/support/packages.ts'
import {startServer, type TestServer, TOKENS} from '../../../../services/registry/test/support/server.ts'
import {codeOf, failed, testOptions} from '../http/support.ts'

describe('registry client against our registry', () => {
  let key: Key
  let server: TestServer
  let http: HttpClient
  let registry: RegistryClient

  before(async () => {
    key = await createKey()
    server = await startServer(key.policy)
    http = createHttpClient(testOptions())
    registry = createRegistryClient({http, target: {baseUrl: server.url, token: TOKENS.admin}})
  })
  after(async () => {
    await http.close()
    await server.close()
  })

  async function signed(facts: PackageFacts): Promise<VerifiedDocument> {
    const text = await signText(writeDocument(facts), key.signer)
    return verifyDocument(loadDocument(Buffer.from(text), 'hello.wpk.yaml'), key.policy)
  }

  async function push(facts: PackageFacts): Promise<VerifiedDocument> {
    const verified = await signed(facts)
    await registry.push(verified, {kind: 'yaml', file: {bytes: verified.document.bytes}})
    return verified
  }

  it('pushes once, and the same bytes again without a change', async () => {
    const verified = await signed({name: 'pushed'})
    const upload = {kind: 'yaml', file: {bytes: verified.document.bytes}} as const
    const first = await registry.push(verified, upload)
    expect(first).to.include({id: 'pushed-1.0.0', status: 'registered', created: true})
    expect(await registry.push(verified, upload)).to.deep.equal({...first, created: false})
  })

  it('gets back what it pushed: content, bytes and digest', async () => {
    const verified = await push({name: 'returned'})
    const {content, entry} = await registry.get('returned-1.0.0')
    const {document} = documentFromJson(content, 'returned-1.0.0')
    expect(document && verifyDocument(document, key.policy).digest).to.equal(verified.digest)
    expect(entry.document_digest).to.equal(verified.digest)
    const download = await registry.download('returned-1.0.0')
    expect(Buffer.concat(await Array.fromAsync(download?.chunks ?? []))).to.deep.equal(
      Buffer.from(verified.document.bytes),
    )
    expect(download?.digest).to.equal(entry.digest)
  })

  it('is refused other bytes under the same version', async () => {
    await push({name: 'taken'})
    const other = await signed({name: 'taken', description: 'Something else'})
    const error = await failed(registry.push(other, {kind: 'yaml', file: {bytes: other.document.bytes}}))
    expect(error.code).to.equal('VERSION_EXISTS')
    expect(error.details).to.include({status: 409})
  })

  it('uploads a tarball with its files and downloads the same bytes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'atomctl-tarball-'))
    const files = [fileOf('scripts/run.sh', 'echo hello')]
    const bytes = await packText(writeDocument({name: 'packed'}), key.signer, files)
    const path = join(directory, 'packed-1.0.0.wpk.tar.gz')
    await writeFile(path, bytes)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const pushed = await registry.push(await signed({name: 'packed'}), {kind: 'tarball', file: {path}, digest})
    expect(pushed).to.include({id: 'packed-1.0.0', digest, created: true})
    const download = await registry.download('packed-1.0.0')
    expect(download?.mediaType).to.equal('application/gzip')
    expect(Buffer.concat(await Array.fromAsync(download?.chunks ?? []))).to.deep.equal(bytes)
    expect(await registry.bundle('packed-1.0.0')).to.include.keys('mediaType')
    expect(await registry.bundle('none-1.0.0')).to.equal(undefined)
    await rm(directory, {recursive: true})
  })

  it('lists by parts of names, by text and page by page', async () => {
    for (const name of ['find-a', 'find-b', 'find-c'])
      await push({name, tags: ['findable'], description: 'Needle & 100%_'})
    const ids = async (query: object, options?: {all: boolean}): Promise<string[]> =>
      (await registry.list(query, options)).workflows.map(({id}) => id).toSorted()
    expect(await ids({name: 'ind-'})).to.deep.equal(['find-a-1.0.0', 'find-b-1.0.0', 'find-c-1.0.0'])
    expect(await ids({q: 'needle & 100%_'})).to.have.length(3)
    expect(await ids({q: 'needle x'})).to.deep.equal([])
    expect(await ids({tag: 'findable', runtime: 'shell', safety_mode: 'manual'})).to.have.length(3)
    expect(await registry.list({tag: 'findable', limit: 2})).to.include({truncated: true})
    expect(await ids({tag: 'findable', limit: 2})).to.have.length(2)
    expect(await ids({tag: 'findable', limit: 1}, {all: true})).to.have.length(3)
  })

  it('lists versions newest first, checks, reads the history and deletes', async () => {
    for (const version of ['1.9.0', '1.10.0']) await push({name: 'many', version})
    expect((await registry.versions('many')).map(({version}) => version)).to.deep.equal(['1.10.0', '1.9.0'])
    expect(await registry.versions('none')).to.deep.equal([])
    expect((await registry.dryRun('many-1.9.0')).validation.valid).to.equal(true)
    expect((await registry.runs('many-1.9.0')).runs).to.deep.equal([])
    await registry.delete('many-1.9.0')
    expect(await codeOf(registry.get('many-1.9.0'))).to.equal('NOT_FOUND')
    expect(await codeOf(registry.delete('many-1.9.0'))).to.equal('NOT_FOUND')
    expect((await registry.health()).status).to.be.a('string')
  })

  it('is told apart: no token, a wrong one, and one that may not', async () => {
    const as = (token?: string): RegistryClient =>
      createRegistryClient({http, target: {baseUrl: server.url, ...(token === undefined ? {} : {token})}})
    await push({name: 'guarded'})
    expect(await codeOf(as().delete('guarded-1.0.0'))).to.equal('NOT_AUTHENTICATED')
    expect(await codeOf(as('wrong-token').delete('guarded-1.0.0'))).to.equal('NOT_AUTHENTICATED')
    expect(await codeOf(as(TOKENS.reader).delete('guarded-1.0.0'))).to.equal('DENIED')
  })
})
