import {expect} from 'chai'
import nock from 'nock'
import {hang, hangUp, refusedUrl, reply, reset, truncate} from '@atomctl/sdk/testing'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {codeOf, failed} from '../http/support.ts'
import {verifiedPackage} from '../registry/support.ts'
import {URL_OF_NOCK, ORIGINAL, STARTED, announced, jumpingClock, start, useRuntimeStage} from './stage.ts'

describe('runtime client', () => {
  const {client, ours, announce, startDouble, startServer} = useRuntimeStage()

  describe('execute', () => {
    it('passes the text of the content on unchanged', async () => {
      const {double, runtime} = await startDouble()
      const verified = verifiedPackage()
      const contentText = JSON.stringify(verified.document.value).replace('"spec":{', '"spec": {  ')
      const {executionId} = await runtime.execute(verified, {
        workflowId: 'demo-1.0.0',
        contentText,
        parameters: {replicas: 3},
        dryRun: true,
      })
      expect(executionId).to.match(/^[0-9a-f-]{36}$/)
      const body = double.requests.at(-1)?.body.toString() ?? ''
      expect(body).to.include(`"wpk_content":${contentText},`)
      expect(JSON.parse(body)).to.deep.include({workflow_id: 'demo-1.0.0', parameters: {replicas: 3}, dry_run: true})
      expect(double.requests.at(-1)?.headers).not.to.have.property('idempotency-key')
    })

    it('refuses content that is not what was verified', async () => {
      const {double, runtime} = await startDouble()
      const verified = verifiedPackage()
      const text = JSON.stringify(verified.document.value)
      const attempts = [
        text.replace('echo hello', 'rm -rf /'),
        text.replace('"spec":', '"extra":1,"spec":'),
        text.replace('"kind":', '"kind":"x","__proto__":{},"kind":'),
        '{}',
      ]
      for (const contentText of attempts) {
        expect(await codeOf(runtime.execute(verified, {workflowId: 'demo-1.0.0', contentText}))).to.equal(
          'WPK_TAMPERED',
        )
      }
      expect(double.requests).to.have.length(0)
    })

    it('refuses numbers that a signature knows only rounded', async () => {
      const {runtime} = await startDouble()
      for (const number of ['9007199254740993', '123456789012345678901234567890', '1e999']) {
        const contentText = `{"a":${number}}`
        const error = await failed(runtime.execute(verifiedPackage(), {workflowId: 'demo-1.0.0', contentText}))
        expect(error.code).to.equal('WPK_TAMPERED')
        expect(error.message).to.include(number)
      }
    })

    it('refuses what no policy verified', async () => {
      const {document, digest, verification} = verifiedPackage()
      const forged = {document, digest, verification} as unknown as VerifiedDocument
      const {runtime} = await startDouble()
      expect(await codeOf(runtime.execute(forged, {workflowId: 'demo-1.0.0'}))).to.equal('GATE_NOT_RUN')
    })

    for (const [what, fault, code] of [
      ['resets the connection', reset, 'UNAVAILABLE'],
      ['hangs up', hangUp, 'UNAVAILABLE'],
      ['cuts its answer off', truncate('{"execution_id":', 99), 'UNAVAILABLE'],
      ['never answers', hang, 'TIMEOUT'],
      ['answers 503', reply(503, {detail: 'busy'}), 'UNAVAILABLE'],
      ['answers 500', reply(500, 'Internal Server Error'), 'UNAVAILABLE'],
      ['answers with a web page', reply(200, '<html>', {'content-type': 'text/html'}), 'PROTOCOL'],
    ] as const) {
      it(`sends exactly one POST to an original runtime that ${what}`, async () => {
        const server = await startServer(ORIGINAL, fault, STARTED)
        const runtime = client({baseUrl: server.url}, jumpingClock(), {requestTimeout: fault === hang ? 500 : 15_000})
        expect(await codeOf(start(runtime))).to.equal(code)
        expect(server.requests.filter(({method}) => method === 'POST')).to.have.length(1)
      })
    }

    it('says that the execution may have started when the answer is lost', async () => {
      const server = await startServer(ORIGINAL, reset)
      expect((await failed(start(client({baseUrl: server.url})))).message).to.include('may have started')
    })

    it('does not say so when the runtime refused it or could not be reached', async () => {
      const server = await startServer(ORIGINAL, reply(503, {detail: 'busy'}))
      expect((await failed(start(client({baseUrl: server.url})))).message).not.to.include('may have')
      expect((await failed(start(client({baseUrl: await refusedUrl()})))).message).to.equal(
        'Network error: Connection refused',
      )
    })

    it('repeats with the same key where the runtime understands it', async () => {
      const server = await startServer(announced('idempotency-key'), reset, reply(503), STARTED)
      expect(await start(client({baseUrl: server.url}))).to.equal('e-1')
      const keys = server.requests.slice(1).map(({headers}) => headers['idempotency-key'])
      expect(keys).to.have.length(3)
      expect(new Set(keys).size).to.equal(1)
      expect(keys[0]).to.match(/^[0-9a-f-]{36}$/)
    })

    it('uses the key it is given', async () => {
      announce('idempotency-key')
      nock(URL_OF_NOCK, {reqheaders: {'idempotency-key': 'mine'}})
        .post('/execute')
        .reply(409, {detail: 'another body under this key', code: 'CONFLICT'})
      const request = {workflowId: 'demo-1.0.0', idempotencyKey: 'mine'}
      expect(await codeOf(ours().execute(verifiedPackage(), request))).to.equal('CONFLICT')
    })

    it('explains a 422 whatever the framework', async () => {
      for (const version of ['measured', 'pinned', 'current'] as const) {
        const {double} = await startDouble({version})
        const runtime = client({baseUrl: double.runtimeUrl})
        const parameters = [] as unknown as Record<string, never>
        const error = await failed(
          runtime.execute(verifiedPackage(), {workflowId: 'x', parameters: Object.assign(parameters, ['a'])}),
        )
        expect(error.code).to.equal('REQUEST_REJECTED')
        expect(error.details?.['detail']).to.match(/^body\.parameters: /)
      }
    })

    it('does not run a package with files where they cannot be fetched', async () => {
      const {runtime} = await startDouble()
      const request = {workflowId: 'demo-1.0.0', packageFiles: true}
      expect(await codeOf(runtime.execute(verifiedPackage(), request))).to.equal('NOT_SUPPORTED')
    })
  })
})
