import {expect} from 'chai'
import nock from 'nock'
import * as z from 'zod'
import {createHttpClient, type HttpClient, readJson} from '@atomctl/sdk/http'
import {
  type Behaviour,
  cutChunks,
  drip,
  type FaultServer,
  flood,
  hang,
  hangUp,
  raw,
  redirect,
  refusedUrl,
  reply,
  reset,
  stall,
  startFaultServer,
  truncate,
} from '@atomctl/sdk/testing'
import {codeOf, failed, testOptions} from './support.ts'

const OK = reply(200, {ok: true})
const schema = z.looseObject({ok: z.boolean()})

describe('http client', () => {
  const servers: FaultServer[] = []
  const clients: HttpClient[] = []
  const start = async (...script: Behaviour[]): Promise<FaultServer> => {
    const server = await startFaultServer(...script)
    servers.push(server)
    return server
  }
  const client = (options: Parameters<typeof testOptions>[0] = {}): HttpClient => {
    const created = createHttpClient(testOptions(options))
    clients.push(created)
    return created
  }

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()))
    await Promise.all(servers.splice(0).map((one) => one.close()))
    nock.cleanAll()
  })

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

  describe('when the network fails', () => {
    it('says that the connection was refused and where', async () => {
      const url = await refusedUrl()
      const error = await failed(client().request({baseUrl: url}, {method: 'GET', path: '/health'}))
      expect(error.code).to.equal('UNAVAILABLE')
      expect(error.message).to.equal('Network error: Connection refused')
      expect(error.details).to.deep.equal({origin: url, reason: 'ECONNREFUSED'})
    })

    it('says which host was not found', async () => {
      const error = await failed(client().request({baseUrl: 'http://no-such-host.invalid'}, {method: 'GET', path: '/'}))
      expect(error.code).to.equal('UNAVAILABLE')
      expect(error.message).to.match(/^Network error: (Host not found: no-such-host\.invalid|The name server)/)
    })

    for (const [what, fault] of Object.entries({
      'resets the connection': reset,
      'closes the connection without an answer': hangUp,
      'sends less than it announced': truncate('{"ok":', 100),
      'stops within a chunked body': cutChunks('{"ok":true}'),
    })) {
      it(`is UNAVAILABLE when the server ${what}, after three attempts of a GET`, async () => {
        const server = await start(fault)
        expect(await codeOf(client().request({baseUrl: server.url}, {method: 'GET', path: '/a'}))).to.equal(
          'UNAVAILABLE',
        )
        expect(server.requests).to.have.length(3)
      })

      it(`sends a GET again when the server ${what} only once`, async () => {
        const server = await start(fault, OK)
        const response = await client().request({baseUrl: server.url}, {method: 'GET', path: '/a'})
        expect(readJson(response, schema).ok).to.equal(true)
      })

      it(`never sends a POST again when the server ${what}`, async () => {
        const server = await start(fault, OK)
        const posted = client().request({baseUrl: server.url}, {method: 'POST', path: '/execute', body: json('{}')})
        expect(await codeOf(posted)).to.equal('UNAVAILABLE')
        expect(server.requests).to.have.length(1)
      })
    }

    it('gives up with TIMEOUT on a server that never answers', async () => {
      const server = await start(hang)
      const http = client({requestTimeout: 60})
      const error = await failed(http.request({baseUrl: server.url}, {method: 'GET', path: '/a'}))
      expect(error.code).to.equal('TIMEOUT')
      expect(error.message).to.include('0.06 s')
      expect(server.requests).to.have.length(1)
    })

    it('gives up with TIMEOUT on a body that stalls, and on one that only trickles', async () => {
      const server = await start(stall('{"ok":'), drip(`{"ok":true${' '.repeat(200)}}`, 5))
      const http = client({requestTimeout: 80})
      expect(await codeOf(http.request({baseUrl: server.url}, {method: 'GET', path: '/a'}))).to.equal('TIMEOUT')
      expect(await codeOf(http.request({baseUrl: server.url}, {method: 'GET', path: '/a'}))).to.equal('TIMEOUT')
    })

    it('is PROTOCOL when the answer is not HTTP', async () => {
      const server = await start(raw('SSH-2.0-OpenSSH_9.2\r\n'))
      expect(await codeOf(client().request({baseUrl: server.url}, {method: 'GET', path: '/a'}))).to.equal('PROTOCOL')
    })

    it('explains a server that speaks no TLS', async () => {
      const server = await start(OK)
      const https = server.url.replace('http:', 'https:')
      const error = await failed(client().request({baseUrl: https}, {method: 'GET', path: '/a'}))
      expect(error.message).to.equal('Network error: The server does not speak TLS')
      expect(error.hint).to.include(server.url)
    })
  })

  describe('when the service is overloaded', () => {
    it('waits as long as Retry-After says before it asks again', async () => {
      const server = await start(reply(503, {detail: 'busy'}, {'retry-after': '7'}), OK)
      const waits: number[] = []
      await client({waits}).request({baseUrl: server.url}, {method: 'GET', path: '/a'})
      expect(waits).to.deep.equal([7000])
    })

    it('understands a Retry-After date', async () => {
      const server = await start(
        reply(429, {detail: 'slow down'}, {'retry-after': 'Thu, 01 Jan 1970 00:00:09 GMT'}),
        OK,
      )
      const waits: number[] = []
      await client({waits}).request({baseUrl: server.url}, {method: 'GET', path: '/a'})
      expect(waits).to.deep.equal([9000])
    })

    it('gives up at once when it is asked to wait for an hour', async () => {
      const server = await start(reply(503, {detail: 'maintenance'}, {'retry-after': '3600'}), OK)
      expect(await codeOf(client().request({baseUrl: server.url}, {method: 'GET', path: '/a'}))).to.equal('UNAVAILABLE')
      expect(server.requests).to.have.length(1)
    })

    it('backs off exponentially, with jitter', async () => {
      const server = await start(reply(502))
      const waits: number[] = []
      const http = client({waits, random: () => 0.5, retry: {maxAttempts: 4, baseDelay: 200}})
      await failed(http.request({baseUrl: server.url}, {method: 'GET', path: '/a'}))
      expect(waits).to.deep.equal([150, 300, 600])
    })

    it('asks only once more after a 500, which may be permanent', async () => {
      const server = await start(reply(500, 'Internal Server Error'))
      const error = await failed(client().request({baseUrl: server.url}, {method: 'GET', path: '/a'}))
      expect(error.code).to.equal('UNAVAILABLE')
      expect(error.details).to.deep.include({status: 500, detail: 'Internal Server Error'})
      expect(server.requests).to.have.length(2)
    })

    it('sends a POST again only when the caller calls it idempotent', async () => {
      const server = await start(reply(503), OK)
      const spec = {method: 'POST', path: '/workflows', body: json('{}'), idempotent: true} as const
      await client().request({baseUrl: server.url}, spec)
      expect(server.requests.map(({body}) => body.toString())).to.deep.equal(['{}', '{}'])
    })
  })

  describe('redirects', () => {
    it('are followed for a GET within the origin, token included', async () => {
      const server = await start(redirect('/workflows'), OK)
      await client().request({baseUrl: server.url, token: 't0ken'}, {method: 'GET', path: '/workflows/'})
      expect(server.requests.map(({url}) => url)).to.deep.equal(['/workflows/', '/workflows'])
      expect(server.requests[1]?.headers['authorization']).to.equal('Bearer t0ken')
    })

    it('are not followed in circles', async () => {
      const server = await start(redirect('/again'))
      expect(await codeOf(client().request({baseUrl: server.url}, {method: 'GET', path: '/a'}))).to.equal(
        'ENDPOINT_NOT_FOUND',
      )
      expect(server.requests).to.have.length(4)
    })

    it('never lead to another origin, and the other origin is named without its path', async () => {
      const thief = await start(OK)
      const server = await start(redirect(`${thief.url}/login?state=secret`))
      const error = await failed(
        client().request({baseUrl: server.url, token: 't0ken'}, {method: 'GET', path: '/a', service: 'registry'}),
      )
      expect(error.code).to.equal('ENDPOINT_NOT_FOUND')
      expect(error.hint).to.include(`atomctl config set registry_url ${thief.url}`)
      expect(error.message + error.hint).not.to.include('secret')
      expect(thief.requests).to.have.length(0)
    })

    it('of a POST are refused', async () => {
      const server = await start(redirect('/workflows'), OK)
      const spec = {method: 'POST', path: '/workflows/', body: json('{}'), idempotent: true} as const
      expect(await codeOf(client().request({baseUrl: server.url}, spec))).to.equal('ENDPOINT_NOT_FOUND')
      expect(server.requests).to.have.length(1)
    })
  })

  describe('answers that are not the protocol', () => {
    const ask = async (behaviour: Behaviour, maxBytes?: number): Promise<string> => {
      const server = await start(behaviour)
      const spec = {method: 'GET', path: '/a', ...(maxBytes ? {maxBytes} : {})} as const
      return codeOf(
        client()
          .request({baseUrl: server.url}, spec)
          .then((response) => readJson(response, schema)),
      )
    }

    it('are PROTOCOL when they are a web page, plain text or nothing', async () => {
      expect(await ask(reply(200, '<html>', {'content-type': 'text/html'}))).to.equal('PROTOCOL')
      expect(await ask(reply(200, '{"ok":true}'))).to.equal('PROTOCOL')
      expect(await ask(reply(204))).to.equal('PROTOCOL')
    })

    it('are PROTOCOL when they only claim to be JSON, or are JSON of another shape', async () => {
      const type = {'content-type': 'application/json'}
      expect(await ask(reply(200, '<html>', type))).to.equal('PROTOCOL')
      expect(await ask(reply(200, '', type))).to.equal('PROTOCOL')
      expect(await ask(reply(200, Buffer.from('{"ok":"\xff"}', 'latin1'), type))).to.equal('PROTOCOL')
      expect(await ask(reply(200, {ok: 'yes'}))).to.equal('PROTOCOL')
      expect(await ask(reply(200, []))).to.equal('PROTOCOL')
    })

    it('are PROTOCOL when they never end, without being kept in memory', async () => {
      expect(await ask(flood, 1024 * 1024)).to.equal('PROTOCOL')
    })

    it('are PROTOCOL when they announce more than is acceptable', async () => {
      expect(await ask(truncate('', 10 ** 12))).to.equal('PROTOCOL')
    })

    it('are PROTOCOL when they are compressed without being asked', async () => {
      expect(await ask(reply(200, {ok: true}, {'content-encoding': 'gzip'}))).to.equal('PROTOCOL')
    })

    it('do not repeat the value that has the wrong type', async () => {
      const server = await start(reply(200, {ok: 'do not show this'}))
      const response = await client().request({baseUrl: server.url}, {method: 'GET', path: '/a'})
      expect(() => readJson(response, schema)).to.throw(/ok is not as the protocol says/)
    })
  })

  describe('an abort', () => {
    const moments: Record<string, Behaviour> = {'before the answer': hang, 'within the body': stall('{"ok":')}
    for (const [moment, behaviour] of Object.entries(moments)) {
      it(`${moment} ends the request at once`, async () => {
        const server = await start(behaviour)
        const controller = new AbortController()
        const request = client().request({baseUrl: server.url}, {method: 'GET', path: '/a', signal: controller.signal})
        await server.received(1)
        controller.abort()
        expect(await codeOf(request)).to.equal('INTERRUPTED')
        expect(server.requests).to.have.length(1)
      })
    }

    it('of the whole target ends the request too, with the reason given', async () => {
      const server = await start(hang)
      const controller = new AbortController()
      const request = client().request({baseUrl: server.url, signal: controller.signal}, {method: 'GET', path: '/a'})
      await server.received(1)
      controller.abort(Object.assign(new Error('Terminated'), {name: 'AtomError', code: 'TERMINATED'}))
      expect(await codeOf(request)).to.equal('TERMINATED')
    })

    it('between two attempts ends the wait', async () => {
      const server = await start(reply(503, '', {'retry-after': '20'}))
      const controller = new AbortController()
      const http = createHttpClient({...testOptions(), clock: undefined})
      clients.push(http)
      const request = http.request({baseUrl: server.url}, {method: 'GET', path: '/a', signal: controller.signal})
      await server.received(1)
      controller.abort()
      expect(await codeOf(request)).to.equal('INTERRUPTED')
    })

    it('before the start sends nothing', async () => {
      const server = await start(OK)
      const spec = {method: 'GET', path: '/a', signal: AbortSignal.abort()} as const
      expect(await codeOf(client().request({baseUrl: server.url}, spec))).to.equal('INTERRUPTED')
      expect(server.requests).to.have.length(0)
    })

    it('by a time limit is TIMEOUT', async () => {
      const server = await start(hang)
      const spec = {method: 'GET', path: '/a', signal: AbortSignal.timeout(30)} as const
      expect(await codeOf(client().request({baseUrl: server.url}, spec))).to.equal('TIMEOUT')
    })
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
      const server = await start(drip('x'.repeat(20), 25), stall('x'))
      const http = client({requestTimeout: 400})
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

function json(text: string): {contentType: string; length: number; open: () => Uint8Array} {
  const bytes = Buffer.from(text)
  return {contentType: 'application/json', length: bytes.length, open: () => bytes}
}
