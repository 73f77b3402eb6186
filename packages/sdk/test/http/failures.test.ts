import {expect} from 'chai'
import {readJson} from '@atomctl/sdk/http'
import {cutChunks, drip, hang, hangUp, raw, refusedUrl, reply, reset, stall, truncate} from '@atomctl/sdk/testing'
import {codeOf, failed, useStage, OK, schema, json} from './support.ts'

describe('http client', () => {
  const {start, client} = useStage()

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
      const http = client({requestTimeout: 300})
      const error = await failed(http.request({baseUrl: server.url}, {method: 'GET', path: '/a'}))
      expect(error.code).to.equal('TIMEOUT')
      expect(error.message).to.include('0.3 s')
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
})
