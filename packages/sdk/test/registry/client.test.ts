import {createHash} from 'node:crypto'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import nock from 'nock'
import {createHttpClient, type HttpClient, type HttpOptions, type Target} from '@atomctl/sdk/http'
import {createRegistryClient, type PackageUpload, type RegistryClient} from '@atomctl/sdk/registry'
import {
  type AtomDouble,
  type AtomDoubleOptions,
  type Behaviour,
  cutChunks,
  type FaultServer,
  hang,
  reply,
  reset,
  startAtomDouble,
  startFaultServer,
} from '@atomctl/sdk/testing'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {codeOf, failed, testOptions} from '../http/support.ts'
import {packageText, verifiedPackage} from './support.ts'

const URL_OF_NOCK = 'http://registry.test'

describe('registry client', () => {
  const closing: {close(): Promise<void>}[] = []
  const client = (target: Target, options: Partial<HttpOptions> & {waits?: number[]} = {}): RegistryClient => {
    const settings = testOptions(options)
    const http: HttpClient = createHttpClient(settings)
    closing.push(http)
    return createRegistryClient({http, target, ...(settings.clock ? {clock: settings.clock} : {})})
  }
  const startDouble = async (
    options: AtomDoubleOptions = {},
  ): Promise<{double: AtomDouble; registry: RegistryClient}> => {
    const double = await startAtomDouble(options)
    closing.push(double)
    return {double, registry: client({baseUrl: double.registryUrl, token: 'anything'})}
  }
  const startServer = async (...script: Behaviour[]): Promise<FaultServer> => {
    const server = await startFaultServer(...script)
    closing.push(server)
    return server
  }
  const upload = (verified: VerifiedDocument): PackageUpload => ({kind: 'yaml', file: {bytes: verified.document.bytes}})

  afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()))
    expect(nock.pendingMocks()).to.deep.equal([])
    nock.cleanAll()
  })

  function announce(...capabilities: string[]): void {
    nock(URL_OF_NOCK)
      .get('/.well-known/atom')
      .reply(200, {service: 'registry', version: '1.0.0', protocol: '1', capabilities})
  }

  const ours = (options: Partial<HttpOptions> = {}): RegistryClient =>
    client({baseUrl: URL_OF_NOCK, token: 't'}, options)

  describe('discovery', () => {
    it('takes a 404, a web page and a locked door for an original service', async () => {
      for (const answer of [
        reply(404, {detail: 'Not Found'}),
        reply(200, '<html>', {'content-type': 'text/html'}),
        reply(403),
      ]) {
        const server = await startServer(answer)
        expect(await client({baseUrl: server.url}).discover()).to.equal(undefined)
      }
    })

    it('is asked once, and again after a failure', async () => {
      const server = await startServer(
        reply(503, '', {'retry-after': '99'}),
        reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable']}),
      )
      const registry = client({baseUrl: server.url})
      expect(await codeOf(registry.discover())).to.equal('UNAVAILABLE')
      expect(await registry.supports('immutable')).to.equal(true)
      expect(await registry.supports('tarballs')).to.equal(false)
      expect(server.requests).to.have.length(2)
    })

    it('tells when the URL is the one of a runtime', async () => {
      const server = await startServer(reply(200, {service: 'runtime', version: '1', protocol: '1', capabilities: []}))
      expect(await codeOf(client({baseUrl: server.url}).discover())).to.equal('ENDPOINT_NOT_FOUND')
    })

    it('is not asked for what every registry can', async () => {
      const {double, registry} = await startDouble()
      await registry.list({limit: 10})
      await registry.health()
      await failed(registry.get('none-1.0.0'))
      expect(double.requests.map(({url}) => url.split('?')[0])).to.deep.equal([
        '/workflows',
        '/health',
        '/workflows/none-1.0.0',
      ])
    })
  })

  describe('list', () => {
    const fill = async (registry: RegistryClient, ...names: string[]): Promise<void> => {
      for (const name of names) await registry.push(verifiedPackage({name}), upload(verifiedPackage({name})))
    }

    it('filters by name and text itself where the registry cannot', async () => {
      const {registry} = await startDouble()
      await fill(registry, 'restart-a', 'scale-b', 'restart-c')
      const names = async (query: object): Promise<string[]> =>
        (await registry.list(query)).workflows.map(({name}) => name)
      expect(await names({name: 'restart'})).to.deep.equal(['restart-a', 'restart-c'])
      expect(await names({q: 'DEMO'})).to.have.length(3)
      expect(await names({q: 'nothing'})).to.deep.equal([])
      expect(await registry.list({name: 'restart', limit: 1})).to.deep.include({truncated: true})
      expect((await registry.list({limit: 2})).truncated).to.equal(true)
      expect((await registry.list({limit: 2}, {all: true})).workflows).to.have.length(3)
    })

    it('reads every entry when null tags of one make the tag filter crash', async () => {
      const {double, registry} = await startDouble()
      await fill(registry, 'good')
      const {entry, content} = double.registry.workflows.get('good-1.0.0') ?? {entry: {}, content: {}}
      double.registry.workflows.set('odd-1.0.0', {entry: {...entry, id: 'odd-1.0.0', tags: null}, content})
      const {workflows} = await registry.list({tag: 'demo'})
      expect(workflows.map(({id}) => id)).to.deep.equal(['good-1.0.0'])
    })

    it('follows cursors until it has enough, or everything', async () => {
      const pages = [
        {workflows: [entryOf('a'), entryOf('b')], total: 2, next_cursor: 'two'},
        {workflows: [entryOf('c')], total: 1, next_cursor: null},
      ]
      nock(URL_OF_NOCK).get('/workflows').query({limit: '3'}).reply(200, pages[0])
      nock(URL_OF_NOCK).get('/workflows').query({limit: '1', cursor: 'two'}).reply(200, pages[1])
      expect(await ours().list({limit: 3})).to.deep.include({truncated: false})
      nock(URL_OF_NOCK).get('/workflows').query({limit: '2'}).reply(200, pages[0])
      expect(await ours().list({limit: 2})).to.deep.include({truncated: true})
      nock(URL_OF_NOCK).get('/workflows').query({limit: '1000'}).reply(200, pages[0])
      nock(URL_OF_NOCK).get('/workflows').query({limit: '1000', cursor: 'two'}).reply(200, pages[1])
      expect((await ours().list({limit: 2}, {all: true})).workflows).to.have.length(3)
    })

    it('leaves searching to a registry that announces it', async () => {
      announce('search')
      nock(URL_OF_NOCK).get('/workflows').query({q: 'disk full', limit: '5'}).reply(200, {workflows: [], total: 0})
      expect((await ours().list({q: 'disk full', limit: 5})).workflows).to.deep.equal([])
    })

    it('finds a part of a name with the help of a registry that searches everything', async () => {
      announce('search')
      const workflows = [entryOf('restart-a'), {...entryOf('other'), description: 'can restart'}]
      nock(URL_OF_NOCK).get('/workflows').query({q: 'restart', limit: '1000'}).reply(200, {workflows, total: 2})
      const found = await ours().list({name: 'restart', limit: 5})
      expect(found.workflows.map(({id}) => id)).to.deep.equal(['restart-a-1.0.0'])
    })

    it('does not go round in circles with a lying registry', async () => {
      nock(URL_OF_NOCK)
        .get('/workflows')
        .query(true)
        .times(2)
        .reply(200, {workflows: [], total: 0, next_cursor: 'again'})
      expect(await codeOf(ours().list({}, {all: true}))).to.equal('PROTOCOL')
    })
  })

  describe('get', () => {
    it('keeps every number of the content as the registry wrote it', async () => {
      const content = '{"a":1.0,"b":123456789012345678901234567890,"c":1e3,"d":[0.10,-0],"e":"1.0"}'
      const body = `{"id":"x-1.0.0","name":"x","version":"1.0.0","wpk_content":${content}}`
      nock(URL_OF_NOCK).get('/workflows/x-1.0.0').reply(200, body, {'content-type': 'application/json'})
      const {contentText, content: value, entry} = await ours().get('x-1.0.0')
      expect(contentText).to.equal(content)
      expect(value).to.deep.include({a: 1, c: 1000})
      expect(entry).to.deep.equal({id: 'x-1.0.0', name: 'x', version: '1.0.0'})
    })

    it('is NOT_FOUND for an unknown id and ENDPOINT_NOT_FOUND for a wrong URL', async () => {
      const {double, registry} = await startDouble()
      const unknown = await failed(registry.get('none-1.0.0'))
      expect(unknown.code).to.equal('NOT_FOUND')
      expect(unknown.details).to.include({status: 404, detail: 'Workflow not found'})
      const wrong = client({baseUrl: `${double.registryUrl}/api`})
      expect(await codeOf(wrong.get('none-1.0.0'))).to.equal('ENDPOINT_NOT_FOUND')
    })

    it('refuses another workflow than the one asked for', async () => {
      nock(URL_OF_NOCK)
        .get('/workflows/x-1.0.0')
        .reply(200, {...entryOf('evil'), wpk_content: {}})
      expect(await codeOf(ours().get('x-1.0.0'))).to.equal('PROTOCOL')
    })

    it('refuses ids that would reach another endpoint, without sending anything', async () => {
      for (const id of ['', '.', '..', '../health', 'a/b', 'a\\b', 'a\nb', 'a\u0000', '\ud800']) {
        expect(await codeOf(Promise.resolve().then(() => ours().get(id))), JSON.stringify(id)).to.equal('USAGE')
      }
    })

    it('escapes whatever else an id holds', async () => {
      nock(URL_OF_NOCK).get('/workflows/a%3Fb%23c%20%25').reply(404, {detail: 'Workflow not found'})
      expect(await codeOf(ours().get('a?b#c %'))).to.equal('NOT_FOUND')
    })

    it('is UNAVAILABLE when the answer is cut off each time', async () => {
      const server = await startServer(cutChunks('{"id":"x-1.0.0",'))
      expect(await codeOf(client({baseUrl: server.url}).get('x-1.0.0'))).to.equal('UNAVAILABLE')
    })
  })

  describe('push to an original registry', () => {
    const posts = ({requests}: {requests: readonly {method: string}[]}): number =>
      requests.filter(({method}) => method === 'POST').length

    for (const version of ['measured', 'pinned', 'current'] as const) {
      it(`looks first, uploads, and confirms afterwards (${version})`, async () => {
        const {double, registry} = await startDouble({version})
        const verified = verifiedPackage()
        const pushed = await registry.push(verified, upload(verified))
        expect(pushed).to.include({id: 'demo-1.0.0', status: 'registered'})
        expect(double.requests.map(({method, url}) => `${method} ${url}`)).to.deep.equal([
          'GET /.well-known/atom',
          'GET /workflows/demo-1.0.0',
          'POST /workflows',
          'GET /workflows/demo-1.0.0',
        ])
      })
    }

    it('sends the form the way the original needs it', async () => {
      const {double, registry} = await startDouble()
      const verified = verifiedPackage()
      await registry.push(verified, upload(verified))
      const post = double.requests.find(({method}) => method === 'POST')
      const body = post?.body.toString() ?? ''
      expect(body).to.include('name="file"; filename="demo-1.0.0.wpk.yaml"\r\nContent-Type: application/x-yaml\r\n\r\n')
      expect(body).to.include(packageText())
      expect(post?.headers['content-length']).to.equal(String(post?.body.length))
      expect(post?.headers['transfer-encoding']).to.equal(undefined)
    })

    it('changes nothing when the same package is there', async () => {
      const {double, registry} = await startDouble()
      const verified = verifiedPackage()
      await registry.push(verified, upload(verified))
      expect(await registry.push(verified, upload(verified))).to.deep.equal({
        id: 'demo-1.0.0',
        status: 'registered',
        created: false,
      })
      expect(posts(double)).to.equal(1)
    })

    it('refuses to overwrite other content or another signature', async () => {
      const {double, registry} = await startDouble()
      await registry.push(verifiedPackage(), upload(verifiedPackage()))
      const other = verifiedPackage({description: 'Other'})
      const error = await failed(registry.push(other, upload(other)))
      expect(error.code).to.equal('VERSION_EXISTS')
      expect(error.hint).to.include('atomctl diff')
      const resigned = verifiedPackage({signature: 'another'})
      expect(await codeOf(registry.push(resigned, upload(resigned)))).to.equal('VERSION_EXISTS')
      expect(posts(double)).to.equal(1)
    })

    it('overwrites when told to', async () => {
      const {double, registry} = await startDouble()
      await registry.push(verifiedPackage(), upload(verifiedPackage()))
      const other = verifiedPackage({description: 'Other'})
      await registry.push(other, {...upload(other), overwrite: true})
      expect(double.registry.workflows.get('demo-1.0.0')?.entry).to.include({description: 'Other'})
    })

    it('never repeats a refused push, which would destroy the stored file', async () => {
      const {double, registry} = await startDouble({refusesSignatures: true})
      const error = await failed(registry.push(verifiedPackage(), upload(verifiedPackage())))
      expect(error.code).to.equal('REQUEST_REJECTED')
      expect(error.details).to.include({status: 400, detail: 'Invalid cosign signature'})
      expect(posts(double)).to.equal(1)
    })

    it('wants a token', async () => {
      for (const version of ['measured', 'current'] as const) {
        const {double} = await startDouble({version})
        const anonymous = client({baseUrl: double.registryUrl})
        const error = await failed(anonymous.push(verifiedPackage(), upload(verifiedPackage())))
        expect(error.code).to.equal('NOT_AUTHENTICATED')
        expect(error.details).to.include({status: version === 'current' ? 401 : 403, detail: 'Not authenticated'})
      }
    })

    it('is UNAVAILABLE when the registry accepts it and does not have it', async () => {
      const server = await startServer(
        reply(404, {detail: 'Not Found'}),
        reply(404, {detail: 'Workflow not found'}),
        reply(200, {workflow_id: 'demo-1.0.0', status: 'registered'}),
        reply(404, {detail: 'Workflow not found'}),
      )
      const error = await failed(client({baseUrl: server.url}).push(verifiedPackage(), upload(verifiedPackage())))
      expect(error.code).to.equal('UNAVAILABLE')
      expect(posts(server)).to.equal(1)
      expect(server.requests).to.have.length(6)
    })

    it('is CONFLICT when somebody else overwrites it meanwhile', async () => {
      const theirs = {...entryOf('demo'), wpk_content: {metadata: {name: 'demo'}}}
      const server = await startServer(
        reply(404, {detail: 'Not Found'}),
        reply(404, {detail: 'Workflow not found'}),
        reply(200, {workflow_id: 'demo-1.0.0', status: 'registered'}),
        reply(200, theirs),
      )
      expect(await codeOf(client({baseUrl: server.url}).push(verifiedPackage(), upload(verifiedPackage())))).to.equal(
        'CONFLICT',
      )
    })

    it('is sent again after a lost connection, complete each time', async () => {
      const server = await startServer(
        reply(404, {detail: 'Not Found'}),
        reply(404, {detail: 'Workflow not found'}),
        reset,
        reply(503),
        reply(422, {detail: [{loc: ['body', 'file'], msg: 'field required', type: 'value_error.missing'}]}),
      )
      const error = await failed(client({baseUrl: server.url}).push(verifiedPackage(), upload(verifiedPackage())))
      expect(error.details).to.include({status: 422, detail: 'body.file: field required'})
      const bodies = server.requests.filter(({method}) => method === 'POST').map(({body}) => body.length)
      expect(bodies).to.have.length(3)
      expect(new Set(bodies).size).to.equal(1)
    })

    it('does not take a tarball, and sends nothing', async () => {
      const {double, registry} = await startDouble()
      const tarball = {kind: 'tarball', file: {bytes: new Uint8Array(9)}, digest: `sha256:${'0'.repeat(64)}`} as const
      const error = await failed(registry.push(verifiedPackage(), tarball))
      expect(error.code).to.equal('NOT_SUPPORTED')
      expect(error.hint).to.include('.wpk.yaml')
      expect(posts(double)).to.equal(0)
    })

    it('ends at once when aborted', async () => {
      const server = await startServer(hang)
      const controller = new AbortController()
      const pushing = client({baseUrl: server.url, signal: controller.signal}).push(
        verifiedPackage(),
        upload(verifiedPackage()),
      )
      await server.received(1)
      controller.abort()
      expect(await codeOf(pushing)).to.equal('INTERRUPTED')
    })
  })

  describe('push to a registry that protects its versions', () => {
    const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

    it('is one request, whose digest is compared', async () => {
      announce('immutable', 'digests')
      const verified = verifiedPackage()
      const answer = {
        workflow_id: 'demo-1.0.0',
        status: 'registered',
        digest: digest(verified.document.bytes),
        created: true,
      }
      nock(URL_OF_NOCK).post('/workflows').reply(200, answer)
      expect(await ours().push(verified, upload(verified))).to.deep.equal({
        id: 'demo-1.0.0',
        status: 'registered',
        digest: digest(verified.document.bytes),
        created: true,
      })
    })

    it('is PROTOCOL when other bytes or another id were stored', async () => {
      for (const answer of [
        {workflow_id: 'demo-1.0.0', digest: digest(Buffer.from('x'))},
        {workflow_id: 'evil-1.0.0'},
      ]) {
        announce('immutable')
        nock(URL_OF_NOCK)
          .post('/workflows')
          .reply(200, {status: 'registered', ...answer})
        expect(await codeOf(ours().push(verifiedPackage(), upload(verifiedPackage())))).to.equal('PROTOCOL')
      }
    })

    it('passes on the code, the hint and the findings of a refusal', async () => {
      announce('immutable')
      const findings = [{rule: 'schema', message: 'no \u001b[31mcolours\u0007', severity: 'error'}]
      nock(URL_OF_NOCK)
        .post('/workflows')
        .reply(409, {detail: 'demo-1.0.0 has other bytes', code: 'VERSION_EXISTS', hint: 'raise it', findings})
      const error = await failed(ours().push(verifiedPackage(), upload(verifiedPackage())))
      expect(error.code).to.equal('VERSION_EXISTS')
      expect(error.hint).to.equal('raise it')
      expect(error.details?.['findings']).to.deep.equal([
        {rule: 'schema', message: 'no [31mcolours', severity: 'error'},
      ])
    })

    it('ignores a code that is not a service code', async () => {
      announce('immutable')
      nock(URL_OF_NOCK).post('/workflows').reply(400, {detail: 'x', code: 'INTERRUPTED'})
      expect(await codeOf(ours().push(verifiedPackage(), upload(verifiedPackage())))).to.equal('REQUEST_REJECTED')
    })

    it('refuses what no policy verified', async () => {
      const {document, digest: known, verification} = verifiedPackage()
      const forged = {document, digest: known, verification} as unknown as VerifiedDocument
      expect(await codeOf(ours().push(forged, upload(verifiedPackage())))).to.equal('GATE_NOT_RUN')
    })

    it('refuses bytes that are not the verified document, before the form is complete', async () => {
      const server = await startServer(
        reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable']}),
      )
      const other: PackageUpload = {kind: 'yaml', file: {bytes: Buffer.from(packageText({description: 'Evil'}))}}
      expect(await codeOf(client({baseUrl: server.url}).push(verifiedPackage(), other))).to.equal('WPK_TAMPERED')
      expect(server.requests).to.have.length(1)
    })

    describe('of a tarball', () => {
      let directory: string
      beforeEach(async () => {
        directory = await mkdtemp(join(tmpdir(), 'atomctl-push-'))
      })
      afterEach(() => rm(directory, {recursive: true}))

      it('streams the file with its bundle and tells how far it is', async () => {
        const bytes = Buffer.alloc(300_000, 'tarball')
        const path = join(directory, 'démo pkg.wpk.tar.gz')
        await writeFile(path, bytes)
        const server = await startServer(
          reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable', 'tarballs']}),
          reply(200, {workflow_id: 'demo-1.0.0', status: 'registered', digest: digest(bytes), created: true}),
        )
        const progress: number[] = []
        const sent: PackageUpload = {
          kind: 'tarball',
          file: {path},
          digest: digest(bytes),
          bundle: {mediaType: 'x'},
          onProgress: (count) => progress.push(count),
        }
        await client({baseUrl: server.url}).push(verifiedPackage(), sent)
        const body = server.requests[1]?.body.toString('latin1') ?? ''
        expect(body).to.include('name="file"; filename="d_mo_pkg.wpk.tar.gz"\r\nContent-Type: application/gzip')
        expect(body).to.include('name="bundle"; filename="bundle.sigstore.json"').and.include('{"mediaType":"x"}')
        expect(progress.length).to.be.greaterThan(1)
        expect(progress.at(-1)).to.equal(bytes.length)
      })

      it('is never completed when the file is not the verified one', async () => {
        const path = join(directory, 'demo.wpk.tar.gz')
        await writeFile(path, 'other bytes')
        const server = await startServer(
          reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable', 'tarballs']}),
        )
        const sent = {kind: 'tarball', file: {path}, digest: digest(Buffer.from('expected'))} as const
        expect(await codeOf(client({baseUrl: server.url}).push(verifiedPackage(), sent))).to.equal('WPK_TAMPERED')
        expect(server.requests).to.have.length(1)
      })
    })
  })

  describe('download', () => {
    const bytes = Buffer.from('the tarball')
    const etag = `"sha256:${createHash('sha256').update(bytes).digest('hex')}"`

    it('streams the bytes and checks them against their digest', async () => {
      announce('tarballs')
      const headers = {etag, 'content-type': 'application/gzip', 'content-length': String(bytes.length)}
      nock(URL_OF_NOCK).get('/workflows/demo-1.0.0/content').reply(200, bytes, headers)
      const download = await ours().download('demo-1.0.0')
      expect(download).to.include({digest: etag.slice(1, -1), mediaType: 'application/gzip', size: bytes.length})
      expect(Buffer.concat(await Array.fromAsync(download?.chunks ?? []))).to.deep.equal(bytes)
    })

    it('fails when they differ', async () => {
      announce('tarballs')
      nock(URL_OF_NOCK).get('/workflows/demo-1.0.0/content').reply(200, 'other bytes', {etag})
      const download = await ours().download('demo-1.0.0')
      expect(await codeOf(Array.fromAsync(download?.chunks ?? []))).to.equal('PROTOCOL')
    })

    it('is not offered by an original registry', async () => {
      const {registry} = await startDouble()
      expect(await registry.download('demo-1.0.0')).to.equal(undefined)
      expect(await registry.bundle('demo-1.0.0')).to.equal(undefined)
    })

    it('comes with a bundle where there is one', async () => {
      announce('tarballs')
      const registry = ours()
      nock(URL_OF_NOCK).get('/workflows/a-1.0.0/bundle').reply(200, {mediaType: 'x'})
      expect(await registry.bundle('a-1.0.0')).to.deep.equal({mediaType: 'x'})
      nock(URL_OF_NOCK).get('/workflows/b-1.0.0/bundle').reply(404, {detail: 'No bundle', code: 'NOT_FOUND'})
      expect(await registry.bundle('b-1.0.0')).to.equal(undefined)
      nock(URL_OF_NOCK).get('/workflows/c-1.0.0/bundle').reply(200, '"text"', {'content-type': 'application/json'})
      expect(await codeOf(registry.bundle('c-1.0.0'))).to.equal('SIGNATURE_MALFORMED')
    })
  })

  describe('the rest', () => {
    it('lists versions newest first, from an original registry too', async () => {
      const {registry} = await startDouble()
      for (const version of ['1.9.0', '1.10.0', '1.2.0']) {
        await registry.push(verifiedPackage({version}), upload(verifiedPackage({version})))
      }
      await registry.push(verifiedPackage({name: 'demo-other'}), upload(verifiedPackage({name: 'demo-other'})))
      expect((await registry.versions('demo')).map(({version}) => version)).to.deep.equal(['1.10.0', '1.9.0', '1.2.0'])
      expect(await registry.versions('none')).to.deep.equal([])
    })

    it('asks a registry that announces versions for them', async () => {
      announce('versions')
      const versions = [{version: '1.0.0', id: 'demo-1.0.0', digest: 'sha256:x', registered_at: '2024-01-01T00:00:00Z'}]
      nock(URL_OF_NOCK).get('/packages/demo/versions').reply(200, {name: 'demo', versions})
      expect(await ours().versions('demo')).to.deep.equal(versions)
    })

    it('deletes once, and not again after a lost answer', async () => {
      const {registry} = await startDouble()
      await registry.push(verifiedPackage(), upload(verifiedPackage()))
      await registry.delete('demo-1.0.0')
      expect(await codeOf(registry.delete('demo-1.0.0'))).to.equal('NOT_FOUND')
      const server = await startServer(reset)
      expect(await codeOf(client({baseUrl: server.url}).delete('demo-1.0.0'))).to.equal('UNAVAILABLE')
      expect(server.requests).to.have.length(1)
    })

    it('reads the static dry run', async () => {
      const {registry} = await startDouble()
      await registry.push(verifiedPackage(), upload(verifiedPackage()))
      const {validation, recommendation} = await registry.dryRun('demo-1.0.0')
      expect(validation.policy_decision).to.equal('approve')
      expect(recommendation.can_execute).to.equal(true)
    })

    it('reports the run history, which the original never manages', async () => {
      const {registry} = await startDouble()
      expect(await codeOf(registry.runs('demo-1.0.0'))).to.equal('UNAVAILABLE')
      const runs = [{run_id: '1', status: 'completed', duration_ms: 5, created_at: '2026-11-23 04:52:47'}]
      nock(URL_OF_NOCK)
        .get('/workflows/d-1.0.0/runs')
        .query({limit: '5'})
        .reply(200, {workflow_id: 'd-1.0.0', runs, page: 1, limit: 5, total: 1})
      expect((await ours().runs('d-1.0.0', {limit: 5})).runs).to.deep.equal(runs)
    })
  })
})

function entryOf(name: string): Record<string, unknown> {
  return {id: `${name}-1.0.0`, name, version: '1.0.0', tags: null, created: 7}
}
