import {createHash} from 'node:crypto'
import {connect} from 'node:net'
import {once} from 'node:events'
import {expect} from 'chai'
import {Access} from '../../src/http/access.ts'
import {packageValue, shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

describe('the runtime service', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start({bodyLimit: 100_000})
  })
  after(() => service.stop())

  it('announces what it can do', async () => {
    const {status, body} = await service.request('/.well-known/atom')
    expect(status).to.equal(200)
    expect(body).to.include({service: 'runtime', version: '1.2.3', protocol: '1'})
    expect(body.capabilities).to.include.members(['events', 'cancel', 'idempotency-key'])
    expect(body.handlers).to.deep.equal(['shell', 'api', 'docker'])
  })

  it('is initialized with the handlers it really has', async () => {
    const {status, body} = await service.request('/init', {method: 'POST'})
    expect([status, body]).to.deep.equal([200, {status: 'initialized', adapters: ['shell', 'api', 'docker']}])
  })

  it('counts executions for Prometheus', async () => {
    await service.run({handlers: [shell('a', 'true')]})
    await service.run({handlers: [shell('a', 'false')]})
    const {headers, body} = await service.request('/metrics')
    expect(headers.get('content-type')).to.match(/^text\/plain/)
    expect(body).to.contain('workflow_runs_total{workflow_name="test-package",status="success"} 1')
    expect(body).to.contain('workflow_runs_total{workflow_name="test-package",status="failed"} 1')
    expect(body).to.contain('workflow_success_total{workflow_name="test-package"} 1')
    expect(body).to.contain('workflow_failure_total{workflow_name="test-package",error_type="execution_error"} 1')
    expect(body).to.contain('workflow_duration_seconds_count{workflow_name="test-package"} 2')
    expect(body).to.contain('active_workflows 0').and.to.contain('process_cpu_seconds_total')
  })

  describe('validating', () => {
    const validate = (content: unknown): ReturnType<TestService['request']> =>
      service.request('/validate', {body: {workflow_id: 'w', wpk_content: content}})

    it('accepts a package that it could run, signed or not', async () => {
      const {status, body} = await validate(packageValue({handlers: [shell('a', 'true')]}))
      expect(status).to.equal(200)
      expect(body).to.deep.equal({
        status: 'valid',
        workflow_name: 'test-package',
        total_handlers: 1,
        supported_adapters: ['shell', 'api', 'docker'],
      })
    })

    for (const [what, content] of [
      ['no package', {}],
      ['no handlers', packageValue({handlers: []})],
      ['an unknown type', packageValue({handlers: [{name: 'a', type: 'nonsense', config: {}}]})],
      [
        'a type without a handler here',
        packageValue({handlers: [{name: 'a', type: 'k8s', config: {action: 'restart'}}]}),
      ],
      ['a condition that cannot be decided', packageValue({handlers: [shell('a', 'true', {when: 'x()'})]})],
    ] as const)
      it(`refuses ${what} with the prefix of the protocol`, async () => {
        const {status, body} = await validate(content)
        expect(status).to.equal(400)
        expect(body.detail).to.match(/^Validation failed: ./)
      })
  })

  describe('given a hostile request', () => {
    const post = (raw: string, headers: Record<string, string> = {}): ReturnType<TestService['request']> =>
      service.request('/execute', {raw, headers})

    it('refuses what is no JSON without repeating it', async () => {
      const {status, body} = await post('{"secret": ')
      expect(status).to.equal(422)
      expect(body.detail).to.be.an('array')
      expect(JSON.stringify(body)).to.not.contain('secret')
    })

    it('refuses nesting that would exhaust the stack', async () => {
      const {status} = await post(`{"workflow_id":"w","wpk_content":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`)
      expect(status).to.equal(422)
    })

    it('refuses keys that reach for a prototype', async () => {
      expect((await post('{"workflow_id":"w","wpk_content":{"__proto__":{"x":1}}}')).status).to.equal(422)
    })

    it('refuses a body that is too large', async () => {
      const {status, body} = await post(JSON.stringify({workflow_id: 'x'.repeat(200_000), wpk_content: {}}))
      expect([status, body.code]).to.deep.equal([413, 'REQUEST_REJECTED'])
    })

    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      it(`refuses content of type ${type}`, async () => {
        const {status, body} = await post('{}', {'content-type': type})
        expect(status).to.equal(422)
        expect(body.detail).to.be.an('array')
      })

    for (const body of [
      {},
      {workflow_id: 1, wpk_content: {}},
      {workflow_id: 'w'},
      {workflow_id: 'w', wpk_content: []},
      [],
    ])
      it(`refuses ${JSON.stringify(body)}`, async () => {
        const answer = await service.request('/execute', {body})
        expect(answer.status).to.equal(422)
        expect(answer.body.detail[0].loc[0]).to.equal('body')
      })

    it('refuses an empty body', async () => {
      expect((await service.request('/execute', {method: 'POST'})).status).to.equal(422)
    })

    it('reads JSON that comes without a content type', async () => {
      const text = JSON.stringify({workflow_id: 'w', wpk_content: packageValue({handlers: [shell('a', 'true')]})})
      const {hostname, port} = new URL(service.url)
      const socket = connect(Number(port), hostname)
      socket.write(
        `POST /validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      )
      let answer = ''
      socket.on('data', (chunk) => (answer += String(chunk)))
      await once(socket, 'close')
      expect(answer).to.match(/^HTTP\/1.1 200/)
    })

    it('knows nothing of other paths and methods', async () => {
      expect((await service.request('/nope')).body).to.deep.equal({detail: 'Not Found', code: 'ENDPOINT_NOT_FOUND'})
      expect((await service.request('/execute')).status).to.be.oneOf([404, 405])
    })
  })
})

describe('a runtime with tokens', () => {
  const token = 'a-token-of-a-test'
  const digests = [createHash('sha256').update(token).digest('hex')]
  const authorization = {authorization: `Bearer ${token}`}

  describe('and anonymous reads', () => {
    let service: TestService
    before(async function () {
      this.timeout(STARTUP_MS)
      service = await TestService.start({tokens: {digests}, anonymousReads: true})
    })
    after(() => service.stop())

    it('lets anyone read', async () => {
      expect((await service.request('/executions')).status).to.equal(200)
    })

    for (const path of ['/execute', '/validate', '/init', '/execute/x/cancel', '/rollback/x'])
      it(`lets nobody without a token post to ${path}`, async () => {
        const {status, headers} = await service.request(path, {body: {}})
        expect(status).to.equal(401)
        expect(headers.get('www-authenticate')).to.match(/^Bearer/)
      })
  })

  describe('and no anonymous reads', () => {
    let service: TestService
    before(async function () {
      this.timeout(STARTUP_MS)
      const reader = {digest: createHash('sha256').update('reader-token').digest('hex'), role: 'reader'}
      service = await TestService.start({tokens: {digests: [...digests.map((digest) => `sha256:${digest}`), reader]}})
    })
    after(() => service.stop())

    for (const path of ['/executions', '/execute/x', '/logs/x', '/metrics', '/execute/x/events'])
      it(`lets nobody without a token read ${path}`, async () => {
        expect((await service.request(path)).status).to.equal(401)
      })

    it('says that it is there to anyone', async () => {
      expect((await service.request('/health')).status).to.equal(200)
      expect((await service.request('/.well-known/atom')).status).to.equal(200)
    })

    for (const wrong of ['Bearer', 'Bearer ', 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`, token])
      it(`refuses "${wrong.replace(token, 'TOKEN')}"`, async () => {
        const {status, body} = await service.request('/executions', {headers: {authorization: wrong}})
        expect(status).to.equal(401)
        expect(JSON.stringify(body)).to.not.contain(token)
      })

    it('accepts its token, whatever the case of the scheme', async () => {
      expect((await service.request('/executions', {headers: authorization})).status).to.equal(200)
      expect((await service.request('/executions', {headers: {authorization: `bEARER ${token}`}})).status).to.equal(200)
    })

    it('lets a reader read, and not run', async () => {
      const headers = {authorization: 'Bearer reader-token'}
      expect((await service.request('/executions', {headers})).status).to.equal(200)
      const {status, body} = await service.request('/execute', {headers, body: {}})
      expect([status, body.code]).to.deep.equal([403, 'DENIED'])
    })

    it('refuses without reading the body', async () => {
      const {hostname, port} = new URL(service.url)
      const socket = connect(Number(port), hostname)
      socket.write(
        'POST /execute HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{',
      )
      const [first] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      expect(first.toString()).to.match(/^HTTP\/1.1 401/)
    })
  })

  it('does not start with a digest that is none', () => {
    expect(() => new Access({digests: ['not-a-digest']}, false)).to.throw(TypeError)
  })
})
