import {expect} from 'chai'
import {readJson} from '@atomctl/sdk/http'
import {type Behaviour, flood, redirect, reply, truncate} from '@atomctl/sdk/testing'
import {codeOf, failed, useStage, OK, schema, json} from './support.ts'

describe('http client', () => {
  const {start, client} = useStage()

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
})
