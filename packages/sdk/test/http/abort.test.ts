import {expect} from 'chai'
import {systemClock} from '@atomctl/sdk/http'
import {type Behaviour, hang, reply, stall} from '@atomctl/sdk/testing'
import {codeOf, useStage, OK} from './support.ts'

describe('http client', () => {
  const {start, client} = useStage()

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
      const http = client({clock: systemClock})
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
})
