import {expect} from 'chai'
import nock from 'nock'
import {readJson} from '@atomctl/sdk/http'
import {drip, flood, reply, stall, truncate} from '@atomctl/sdk/testing'
import {codeOf, failed, useStage, OK, schema} from './support.ts'

describe('http client', () => {
  const {start, client} = useStage()

  it('sends the token, the user agent and the query, and reads the JSON answer', async () => {
    const scope = nock('http://registry.test', {
      reqheaders: {authorization: 'Bearer s3cret', 'user-agent': 'atomctl/test', accept: 'application/json'},
    })
      .get('/base/workflows')
      .query({tag: 'a b&c', limit: '2'})
      .reply(200, {ok: true})
    const response = await client().request(
      {baseUrl: 'http://registry.test/base', token: 's3cret'},
      {method: 'GET', path: '/workflows', query: {tag: 'a b&c', limit: 2, name: undefined}},
    )
    expect(readJson(response, schema)).to.deep.equal({ok: true})
    expect(scope.isDone()).to.equal(true)
  })

  it('keeps one connection for one request after another', async () => {
    const server = await start(OK)
    const http = client()
    for (let count = 0; count < 4; count++) await http.request({baseUrl: server.url}, {method: 'GET', path: '/a'})
    expect(server.requests).to.have.length(4)
    expect(server.connections()).to.equal(1)
  })

  describe('secrets', () => {
    it('stay out of debug lines', async () => {
      const server = await start(reply(200, {ok: true}, {'set-cookie': 'session=s3cret', 'x-auth-token': 's3cret'}))
      const lines: string[] = []
      await client({debug: (line) => lines.push(line)}).request(
        {baseUrl: server.url, token: 's3cret'},
        {method: 'GET', path: '/a', headers: {'idempotency-key': 's3cret'}},
      )
      expect(lines).to.have.length(2)
      expect(lines.join('\n')).to.include('authorization: [redacted]').and.not.include('s3cret')
    })

    it('stay out of errors, also when the service echoes them', async () => {
      const server = await start(reply(400, {detail: 'bad token s3cret', hint: 'not s3cret'}))
      const error = await failed(client().request({baseUrl: server.url, token: 's3cret'}, {method: 'GET', path: '/a'}))
      expect(JSON.stringify([error.message, error.hint, error.details]))
        .to.include('***')
        .and.not.include('s3cret')
    })

    it('that cannot be a header are refused without being shown', async () => {
      for (const token of ['', 'abc\r\nx-evil: 1', 'tökén', 'two words']) {
        const error = await failed(client().request({baseUrl: 'http://x.test', token}, {method: 'GET', path: '/a'}))
        expect(error.code).to.equal('CONFIG_INVALID')
        if (token !== '') expect(error.message).not.to.include(token)
      }
    })
  })

  describe('a stream', () => {
    it('hands over bytes as they arrive', async () => {
      const server = await start(reply(200, 'some bytes'))
      const {body} = await client().stream({baseUrl: server.url}, {method: 'GET', path: '/content'})
      expect(Buffer.concat(await Array.fromAsync(body)).toString()).to.equal('some bytes')
    })

    it('is UNAVAILABLE when it is cut off, and is not started again', async () => {
      const server = await start(truncate('abc', 10))
      const {body} = await client().stream({baseUrl: server.url}, {method: 'GET', path: '/content'})
      expect(await codeOf(Array.fromAsync(body))).to.equal('UNAVAILABLE')
      expect(server.requests).to.have.length(1)
    })

    it('is TIMEOUT when it stalls, but may take longer than one request', async () => {
      const server = await start(drip('x'.repeat(12), 100), stall('x'))
      const http = client({requestTimeout: 1000})
      const first = await http.stream({baseUrl: server.url}, {method: 'GET', path: '/content'})
      expect(await Array.fromAsync(first.body)).to.have.length.greaterThan(1)
      const second = await http.stream({baseUrl: server.url}, {method: 'GET', path: '/content'})
      expect(await codeOf(Array.fromAsync(second.body))).to.equal('TIMEOUT')
    })

    it('ends with INTERRUPTED when aborted in the middle', async () => {
      const server = await start(stall('x'))
      const controller = new AbortController()
      const spec = {method: 'GET', path: '/content', signal: controller.signal} as const
      const {body} = await client().stream({baseUrl: server.url}, spec)
      controller.abort()
      expect(await codeOf(Array.fromAsync(body))).to.equal('INTERRUPTED')
    })

    it('lets go of the connection when the reader stops early', async () => {
      const server = await start(flood, OK)
      const http = client()
      const {body} = await http.stream({baseUrl: server.url}, {method: 'GET', path: '/content'})
      for await (const chunk of body) if (chunk.length > 0) break
      await http.request({baseUrl: server.url}, {method: 'GET', path: '/a'})
      expect(server.requests).to.have.length(2)
    })
  })
})
