import {expect} from 'chai'
import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import type {Clock} from '@atomctl/sdk/http'
import {hang, hangUp, reply, reset} from '@atomctl/sdk/testing'
import {codeOf, failed} from '../http/support.ts'
import {ORIGINAL, announced, jumpingClock, start, useRuntimeStage} from './stage.ts'

describe('runtime client', () => {
  const {client, startDouble, startServer} = useRuntimeStage()

  describe('follow, without an event stream', () => {
    const statuses = (events: ExecutionEvent[]): string[] =>
      events.flatMap((event) => (event.type === 'status' ? [event.execution.status] : []))
    const lines = (events: ExecutionEvent[]): string[] =>
      events.flatMap((event) => (event.type === 'log' ? [event.log.text] : []))
    const THREE =
      '[{name: a, type: shell, config: {command: x}}, {name: b, type: shell, config: {command: x}}, {name: c, type: shell, config: {command: x}}]'
    const UNKNOWN = '[{name: a, type: k8s, config: {action: get}}]'

    it('reports steps and log lines once each, and the final status last', async () => {
      const {runtime} = await startDouble()
      const events = await Array.fromAsync(runtime.follow(await start(runtime, {handlers: THREE})))
      expect(lines(events)).to.deep.equal(['Handler a: success', 'Handler b: success', 'Handler c: success'])
      expect(statuses(events).at(-1)).to.equal('completed')
      expect(events.at(-1)?.type).to.equal('status')
      expect(new Set(events.map(({id}) => id)).size).to.equal(events.length)
    })

    it('asks on one connection, ever less often', async () => {
      const states = Array.from({length: 12}, () => reply(200, {execution_id: 'e-1', status: 'running'}))
      const server = await startServer(ORIGINAL, ...states, reply(200, {execution_id: 'e-1', status: 'completed'}))
      const clock = jumpingClock()
      await Array.fromAsync(client({baseUrl: server.url}, clock).follow('e-1'))
      expect(server.connections()).to.equal(1)
      expect(clock.slept[0]).to.equal(100)
      expect(clock.slept.at(-1)).to.equal(1500)
    })

    it('reports a failure, asked about twice because a rollback may follow', async () => {
      const {runtime, double} = await startDouble()
      const events = await Array.fromAsync(runtime.follow(await start(runtime, {handlers: UNKNOWN})))
      expect(statuses(events)).to.deep.equal(['failed'])
      expect(double.requests.filter(({url}) => url.startsWith('/execute/'))).to.have.length(2)
    })

    it('asks once when there is no rollback', async () => {
      const {runtime, double} = await startDouble()
      const id = await start(runtime, {handlers: UNKNOWN})
      await Array.fromAsync(runtime.follow(id, {rollbackPossible: false}))
      expect(double.requests.filter(({url}) => url.startsWith('/execute/'))).to.have.length(1)
    })

    it('sees a rollback that begins after the failure', async () => {
      const server = await startServer(
        ORIGINAL,
        reply(200, {execution_id: 'e-1', status: 'failed', logs: ['x']}),
        reply(200, {execution_id: 'e-1', status: 'rolled_back', logs: ['x', 'y']}),
      )
      const events = await Array.fromAsync(client({baseUrl: server.url}).follow('e-1'))
      expect(statuses(events)).to.deep.equal(['rolled_back'])
      expect(lines(events)).to.deep.equal(['x', 'y'])
    })

    it('reports a rollback of the original', async () => {
      const {runtime} = await startDouble()
      const rollback = '{enabled: true, handlers: [{name: undo, type: shell, config: {command: x}}]}'
      const events = await Array.fromAsync(runtime.follow(await start(runtime, {handlers: UNKNOWN, rollback})))
      expect(statuses(events)).to.deep.equal(['rolled_back'])
      expect(lines(events).at(-1)).to.equal('Rollback completed')
    })

    it('sits out a runtime that is away for a while', async () => {
      const server = await startServer(
        ORIGINAL,
        reset,
        reply(502),
        reply(500, 'Internal Server Error'),
        hangUp,
        reply(404, {detail: 'Execution not found'}),
        reply(404, {detail: 'Execution not found'}),
        reply(200, {execution_id: 'e-1', status: 'completed'}),
      )
      expect(statuses(await Array.fromAsync(client({baseUrl: server.url}).follow('e-1')))).to.deep.equal(['completed'])
    })

    it('gives up after a minute without an answer', async () => {
      const server = await startServer(ORIGINAL, reply(503))
      const clock = jumpingClock()
      expect(await codeOf(Array.fromAsync(client({baseUrl: server.url}, clock).follow('e-1')))).to.equal('UNAVAILABLE')
      const waited = clock.slept.reduce((sum, time) => sum + time, 0)
      expect(waited).to.be.within(60_000, 65_000)
    })

    it('gives up on an execution that is not found five times in a row', async () => {
      const {runtime, double} = await startDouble()
      const error = await failed(Array.fromAsync(runtime.follow('gone')))
      expect(error.code).to.equal('NOT_FOUND')
      expect(error.hint).to.include('restarts')
      expect(double.requests.filter(({url}) => url === '/execute/gone')).to.have.length(5)
    })

    it('does not put up with a refused token or another protocol', async () => {
      for (const [answer, code] of [
        [reply(401, {detail: 'no'}), 'NOT_AUTHENTICATED'],
        [reply(200, {id: 7}), 'PROTOCOL'],
        [reply(404, {detail: 'Not Found'}), 'ENDPOINT_NOT_FOUND'],
      ] as const) {
        const server = await startServer(ORIGINAL, answer)
        expect(await codeOf(Array.fromAsync(client({baseUrl: server.url}).follow('e-1')))).to.equal(code)
      }
    })

    it('takes an execution that stays pending for a malformed package', async () => {
      const server = await startServer(ORIGINAL, reply(200, {execution_id: 'e-1', status: 'pending'}))
      const error = await failed(Array.fromAsync(client({baseUrl: server.url}).follow('e-1')))
      expect(error.code).to.equal('EXECUTION_FAILED')
      expect(error.hint).to.include('atomctl validate')
    })

    it('lets an execution wait in the queue of a runtime that has one', async () => {
      const pending = Array.from({length: 20}, () => [
        reply(200, {execution_id: 'e-1', status: 'pending'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
      ])
      const done = [
        reply(200, {execution_id: 'e-1', status: 'completed'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
      ]
      const server = await startServer(announced(), ...pending.flat(), ...done)
      const events = await Array.fromAsync(client({baseUrl: server.url}).follow('e-1'))
      expect(statuses(events)).to.deep.equal(['pending', 'completed'])
    })

    it('sits out an outage between the status and the log, too', async () => {
      const server = await startServer(
        announced(),
        reply(200, {execution_id: 'e-1', status: 'completed'}),
        reply(503, {detail: 'busy'}, {'retry-after': '99'}),
        reply(200, {execution_id: 'e-1', status: 'completed'}),
        reply(200, {execution_id: 'e-1', logs: ['done']}),
      )
      const events = await Array.fromAsync(client({baseUrl: server.url}).follow('e-1'))
      expect(lines(events)).to.deep.equal(['done'])
      expect(statuses(events)).to.deep.equal(['completed'])
    })

    it('ends with WAIT_TIMEOUT at its deadline', async () => {
      const server = await startServer(ORIGINAL, reply(200, {execution_id: 'e-1', status: 'running'}), hang)
      const clock: Clock = {...jumpingClock(), now: () => 1000}
      const error = await failed(Array.fromAsync(client({baseUrl: server.url}, clock).follow('e-1', {deadline: 1100})))
      expect(error.code).to.equal('WAIT_TIMEOUT')
      expect(error.hint).to.equal('atomctl status e-1 --watch')
    })

    it('ends at its deadline even when discovery hangs', async () => {
      const server = await startServer(hang)
      const clock: Clock = {...jumpingClock(), now: () => 1000}
      const following = client({baseUrl: server.url}, clock).follow('e-1', {deadline: 1050})
      expect(await codeOf(Array.fromAsync(following))).to.equal('WAIT_TIMEOUT')
    })

    it('ends at once when aborted, while asking or while waiting', async () => {
      for (const script of [
        [ORIGINAL, hang],
        [ORIGINAL, reply(200, {execution_id: 'e-1', status: 'running'})],
      ]) {
        const server = await startServer(...script)
        const controller = new AbortController()
        const following = Array.fromAsync(client({baseUrl: server.url}).follow('e-1', {signal: controller.signal}))
        await server.received(2)
        controller.abort()
        expect(await codeOf(following)).to.equal('INTERRUPTED')
      }
    })
  })
})
