import {expect} from 'chai'
import {hang, reply, reset} from '@atomctl/sdk/testing'
import {codeOf, failed} from '../http/support.ts'
import {upload, useRegistryStage, entryOf} from './stage.ts'
import {packageText, verifiedPackage} from './support.ts'

describe('registry client', () => {
  const {client, startDouble, startServer} = useRegistryStage()

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
})
