import {expect} from 'chai'
import nock from 'nock'
import {codeOf, failed} from '../http/support.ts'
import {URL_OF_NOCK, start, useRuntimeStage} from './stage.ts'

describe('runtime client', () => {
  const {ours, announce, startDouble} = useRuntimeStage()

  describe('status', () => {
    it('reads what the original answers, absent keys included', async () => {
      nock(URL_OF_NOCK).get('/execute/e-1').reply(200, {execution_id: 'e-1', status: 'running', steps_completed: 1})
      expect(await ours().status('e-1')).to.deep.equal({execution_id: 'e-1', status: 'running', steps_completed: 1})
    })

    it('is NOT_FOUND for an unknown execution, and refuses another one than asked for', async () => {
      const {runtime} = await startDouble()
      expect(await codeOf(runtime.status('none'))).to.equal('NOT_FOUND')
      nock(URL_OF_NOCK).get('/execute/e-1').reply(200, {execution_id: 'e-2', status: 'completed'})
      expect(await codeOf(ours().status('e-1'))).to.equal('PROTOCOL')
    })

    it('never reaches another endpoint', async () => {
      const {double, runtime} = await startDouble()
      for (const id of ['../health', '..', '', 'a/b']) {
        expect(await codeOf(Promise.resolve().then(() => runtime.status(id)))).to.equal('USAGE')
      }
      expect(double.requests).to.have.length(0)
    })
  })

  describe('logs', () => {
    it('numbers the lines of an original runtime', async () => {
      const {runtime} = await startDouble({stepTime: 60_000})
      const id = await start(runtime)
      expect(await runtime.logs(id)).to.deep.equal([
        {seq: 1, step: null, stream: 'system', text: 'Handler hello: success'},
      ])
      expect(await runtime.logs(id, 1)).to.deep.equal([])
    })

    it('asks for what came after', async () => {
      const entry = {seq: 8, time: '2026-01-01T00:00:00Z', step: 'a', stream: 'stderr', text: 'oh'}
      nock(URL_OF_NOCK)
        .get('/logs/e-1')
        .query({after: '7'})
        .reply(200, {execution_id: 'e-1', logs: ['oh'], entries: [entry]})
      expect(await ours().logs('e-1', 7)).to.deep.equal([entry])
    })
  })

  describe('what an original runtime cannot do', () => {
    it('is refused with NOT_SUPPORTED and asked of nobody', async () => {
      const {double, runtime} = await startDouble()
      for (const attempt of [runtime.cancel('e-1'), runtime.rollback('e-1'), runtime.list({})]) {
        const error = await failed(attempt)
        expect(error.code).to.equal('NOT_SUPPORTED')
        expect(error.message).to.include(double.runtimeUrl)
      }
      expect(double.requests.every(({url}) => url === '/.well-known/atom')).to.equal(true)
    })

    it('is done by a runtime that announces it', async () => {
      announce('cancel', 'list-executions')
      const runtime = ours()
      nock(URL_OF_NOCK).post('/execute/e-1/cancel').reply(200, {execution_id: 'e-1', status: 'cancelled'})
      expect((await runtime.cancel('e-1')).status).to.equal('cancelled')
      nock(URL_OF_NOCK).post('/rollback/e-1').reply(200, {message: 'Rollback started', execution_id: 'e-1'})
      await runtime.rollback('e-1')
      nock(URL_OF_NOCK).post('/rollback/e-2').reply(501, {detail: 'no rollback handlers', code: 'NOT_SUPPORTED'})
      expect(await codeOf(runtime.rollback('e-2'))).to.equal('NOT_SUPPORTED')
      const page = {executions: [{execution_id: 'e-1', status: 'running'}], next_cursor: 'more'}
      nock(URL_OF_NOCK).get('/executions').query({status: 'running', limit: '1'}).reply(200, page)
      expect(await runtime.list({status: 'running', limit: 1})).to.deep.equal({
        executions: page.executions,
        truncated: true,
      })
      nock(URL_OF_NOCK).get('/executions').query(true).times(2).reply(200, page)
      expect(await codeOf(runtime.list({}, {all: true}))).to.equal('PROTOCOL')
    })
  })
})
