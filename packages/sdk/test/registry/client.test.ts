import {expect} from 'chai'
import nock from 'nock'
import {cutChunks, reply, reset} from '@atomctl/sdk/testing'
import {codeOf, failed} from '../http/support.ts'
import {URL_OF_NOCK, upload, useRegistryStage, entryOf} from './stage.ts'
import {verifiedPackage} from './support.ts'

describe('registry client', () => {
  const {client, ours, announce, startDouble, startServer} = useRegistryStage()

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
