import {createServer, type IncomingHttpHeaders, type Server} from 'node:http'
import {once} from 'node:events'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {api, shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

interface Seen {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

describe('executing api handlers', () => {
  let service: TestService
  let server: Server
  let base: string
  let seen: Seen[] = []
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => {
        seen.push({method: request.method ?? '', url: request.url ?? '', headers: request.headers, body})
        const [, first, second] = (request.url ?? '').split('?')[0]!.split('/')
        if (first === 'status') return response.writeHead(Number(second)).end('as asked')
        if (first === 'redirect') return response.writeHead(302, {location: '/ok'}).end()
        if (first === 'hang') return undefined
        if (first === 'huge') return huge(response)
        if (first === 'json') return response.end(JSON.stringify({data: {id: 42, state: 'ready', list: [{a: 'x'}]}}))
        if (first === 'cut')
          return response.writeHead(200, {'content-length': '100'}).write('x', () => response.destroy())
        return response.end('fine')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    await service.stop()
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    seen = []
  })

  function huge(response: import('node:http').ServerResponse): void {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }

  it('sends one request and takes 2xx for success', async () => {
    const execution = await service.run({handlers: [api('get', {url: `${base}/ok`})]})
    expect(execution).to.include({status: 'completed'})
    expect(execution.steps?.[0]).to.include({http_status: 200})
    expect(seen.map(({method, url, headers}) => [method, url, headers['idempotency-key']])).to.deep.equal([
      ['GET', '/ok', undefined],
    ])
    expect(execution.logs).to.include('[get] fine').and.to.include('Handler get: success')
  })

  it('fills placeholders in, each as what it stands for', async () => {
    const config = {
      url: '${BASE}/items/${NAME}?q=${NAME}',
      method: 'POST',
      headers: {'X-Name': '${params.count}', authorization: 'Bearer ${TOKEN}'},
      payload: {text: 'for ${NAME}', list: ['${COUNT}'], plain: 1},
    }
    const name = 'a/../b?c&d="e"'
    const parameters = {base, name, count: 3, token: 'very-secret'}
    const execution = await service.run({handlers: [api('post', config)]}, {parameters})
    expect(execution.status).to.equal('completed')
    const [request] = seen
    const encoded = encodeURIComponent(name)
    expect(request?.url).to.equal(`/items/${encoded}?q=${encoded}`)
    expect(request?.headers).to.include({
      'x-name': '3',
      authorization: 'Bearer very-secret',
      'content-type': 'application/json',
      'idempotency-key': `${execution.execution_id}/handler/0`,
    })
    expect(JSON.parse(request?.body ?? '')).to.deep.equal({text: `for ${name}`, list: ['3'], plain: 1})
    expect(JSON.stringify(await service.logs(execution.execution_id))).to.not.contain('very-secret')
  })

  it('does not let a value choose another host', async () => {
    const url = `http://\${HOST}.example.com:${new URL(base).port}/x`
    const execution = await service.run({handlers: [api('get', {url})]}, {parameters: {host: '127.0.0.1/'}})
    expect(execution.status).to.equal('failed')
    expect(seen).to.deep.equal([])
  })

  it('sends a text payload as it is', async () => {
    await service.run(
      {handlers: [api('post', {url: `${base}/ok`, method: 'POST', payload: 'plain ${WHO}'})]},
      {
        parameters: {who: 'text'},
      },
    )
    expect(seen[0]?.body).to.equal('plain text')
  })

  it('fails on another status, and says which', async () => {
    const execution = await service.run({handlers: [api('get', {url: `${base}/status/503`})]})
    expect(execution.error_message).to.equal('Handler get failed: status 503, expected 2xx')
    expect(execution.steps?.[0]).to.include({status: 'failed', http_status: 503})
  })

  it('takes the statuses it is told to expect', async () => {
    const get = (code: number, expected: number | number[]): object =>
      api('get', {url: `${base}/status/${code}`, expected_status: expected})
    expect((await service.run({handlers: [get(404, 404)]})).status).to.equal('completed')
    expect((await service.run({handlers: [get(409, [200, 409])]})).status).to.equal('completed')
    expect((await service.run({handlers: [get(200, 201)]})).error_message).to.contain('expected 201')
  })

  it('does not follow redirects', async () => {
    const execution = await service.run({handlers: [api('get', {url: `${base}/redirect`, expected_status: 302})]})
    expect(execution.status).to.equal('completed')
    expect(seen.map(({url}) => url)).to.deep.equal(['/redirect'])
  })

  it('judges the response by its condition', async () => {
    const get = (condition: string): object => api('get', {url: `${base}/json`, condition})
    expect((await service.run({handlers: [get("status == 200 && body.data.state == 'ready'")]})).status).to.equal(
      'completed',
    )
    const failed = await service.run({handlers: [get("body.data.state == 'gone'")]})
    expect(failed.error_message).to.contain('does not satisfy')
    expect((await service.run({handlers: [get('body.missing == 1')]})).status).to.equal('failed')
  })

  it('does not send what its condition on parameters rules out', async () => {
    const execution = await service.run(
      {handlers: [api('get', {url: `${base}/ok`, condition: 'tries >= limit'})]},
      {
        parameters: {tries: 1, limit: 3},
      },
    )
    expect(execution.status).to.equal('completed')
    expect(seen).to.deep.equal([])
    expect(execution.logs?.[0]).to.contain('not sent')
  })

  it('puts parts of the response out for later handlers', async () => {
    const execution = await service.run({
      handlers: [
        api('get', {url: `${base}/json`}, {outputs: {id: '/data/id', first: '/data/list/0/a'}}),
        shell('use', 'echo "$ID $FIRST"'),
        api('again', {url: `${base}/items/\${ID}`}),
      ],
    })
    expect(execution.logs).to.include('[use] 42 x')
    expect(seen.at(-1)?.url).to.equal('/items/42')
  })

  it('fails when an output is not in the response', async () => {
    const execution = await service.run({handlers: [api('get', {url: `${base}/json`}, {outputs: {id: '/nope'}})]})
    expect(execution.error_message).to.contain('/nope')
  })

  it('ends at its timeout', async () => {
    const execution = await service.run({handlers: [api('get', {url: `${base}/hang`}, {timeout: '200ms'})]})
    expect(execution.error_message).to.equal('Handler get failed: timed out after 200 ms')
  })

  it('is cancelled while it waits for the response', async () => {
    const id = await service.started({handlers: [api('get', {url: `${base}/hang`})]})
    await eventually('the request is there', () => seen.length > 0)
    await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    expect((await service.ended(id)).status).to.equal('cancelled')
  })

  it('reads no more of a response than it can use', async () => {
    const execution = await service.run({handlers: [api('get', {url: `${base}/huge`}, {timeout: '10s'})]})
    expect(execution.status).to.equal('completed')
    const {logs} = await service.logs(execution.execution_id)
    expect(logs.join('').length).to.be.lessThan(10_000)
  })

  it('tells a failed connection by its code, never by the address', async () => {
    const execution = await service.run(
      {handlers: [api('get', {url: '${TARGET}'})]},
      {
        parameters: {target: 'http://127.0.0.1:1/secret-path'},
      },
    )
    expect(execution.error_message).to.equal('Handler get failed: the request failed: ECONNREFUSED')
    const cut = await service.run({handlers: [api('get', {url: `${base}/cut`})]})
    expect(cut.error_message).to.match(/the request failed: [A-Z_]+$/)
  })

  it('fails on an address that is none, or a header that would be two', async () => {
    const bad = await service.run(
      {handlers: [api('get', {url: '${TARGET}'})]},
      {parameters: {target: 'file:///etc/passwd'}},
    )
    expect(bad.status).to.equal('failed')
    const headers = {x: '${VALUE}'}
    const split = await service.run(
      {handlers: [api('get', {url: `${base}/ok`, headers})]},
      {
        parameters: {value: 'a\r\nx-injected: 1'},
      },
    )
    expect(split.status).to.equal('failed')
    expect(seen).to.deep.equal([])
  })

  for (const [what, config] of [
    ['a condition that mixes what is known before and after', {url: 'http://127.0.0.1/', condition: 'status == limit'}],
    ['a condition that is no comparison', {url: 'http://127.0.0.1/', condition: 'latency_improved'}],
  ] as const)
    it(`refuses ${what} before anything runs`, async () => {
      const answer = await service.submit({handlers: [api('get', config)]}, {parameters: {limit: 1}})
      expect([answer.status, answer.body.code]).to.deep.equal([422, 'WPK_INVALID'])
    })
})
