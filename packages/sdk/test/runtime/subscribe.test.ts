import {expect} from 'chai'
import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import type {Clock} from '@atomctl/sdk/http'
import {type Behaviour, type FaultServer, reply, reset} from '@atomctl/sdk/testing'
import {codeOf} from '../http/support.ts'
import {announced, useRuntimeStage, jumpingClock} from './stage.ts'

describe('runtime client', () => {
  const {client, startServer} = useRuntimeStage()

  describe('follow, by event stream', () => {
    const status = (value: string, id: string): string =>
      `id: ${id}\nevent: status\ndata: {"type":"status","id":"${id}","execution":{"execution_id":"e-1","status":"${value}"}}\n\n`
    const log = (seq: number): string =>
      `id: l${seq}\r\nevent: log\r\ndata: {"type":"log","log":\r\ndata: {"seq":${seq},"time":"2026-01-01T00:00:00Z","step":"a","stream":"stdout","text":"line ${seq}"}}\r\n\r\n`
    const stream = (text: string): Behaviour => reply(200, text, {'content-type': 'text/event-stream; charset=utf-8'})
    const follow = async (...script: Behaviour[]): Promise<{events: ExecutionEvent[]; server: FaultServer}> => {
      const server = await startServer(announced('events'), ...script)
      return {events: await Array.fromAsync(client({baseUrl: server.url}).follow('e-1')), server}
    }
    const seen = (events: ExecutionEvent[]): string[] =>
      events.map((event) =>
        event.type === 'log' ? event.log.text : event.type === 'status' ? event.execution.status : 'step',
      )

    it('reports the events as they come and ends after the final status', async () => {
      const {events, server} = await follow(
        stream(`\uFEFF: hello\nretry: 50\n\n${status('running', '1')}${log(1)}${status('completed', '2')}`),
      )
      expect(seen(events)).to.deep.equal(['running', 'line 1', 'completed'])
      expect(server.requests).to.have.length(2)
      expect(server.requests[1]?.headers['accept']).to.equal('text/event-stream')
    })

    it('goes on after the last event it has seen when the stream breaks', async () => {
      const {events, server} = await follow(
        stream(`${status('running', '1')}${log(1)}id: l2\nevent: log\ndata: {"type":"lo`),
        reset,
        reply(503),
        stream(`${log(1)}${log(2)}${status('completed', '9')}`),
      )
      expect(seen(events)).to.deep.equal(['running', 'line 1', 'line 2', 'completed'])
      const resumed = server.requests.slice(2).map(({headers}) => headers['last-event-id'])
      expect(resumed).to.deep.equal(['l1', 'l1', 'l1'])
    })

    it('skips types of events it does not know', async () => {
      const {events} = await follow(stream(`event: weather\ndata: {"sun":true}\n\n${status('completed', '2')}`))
      expect(seen(events)).to.deep.equal(['completed'])
    })

    it('polls when the stream stays empty, without repeating log lines', async () => {
      const entry = {time: '2026-01-01T00:00:00Z', step: 'a', stream: 'stdout'}
      const {events, server} = await follow(
        stream(`${status('running', '1')}${log(1)}`),
        stream(''),
        stream(': nothing\n\n'),
        stream(''),
        reply(200, {execution_id: 'e-1', status: 'completed'}),
        reply(200, {
          execution_id: 'e-1',
          logs: [],
          entries: [
            {...entry, seq: 1, text: 'line 1'},
            {...entry, seq: 2, text: 'line 2'},
          ],
        }),
      )
      expect(seen(events)).to.deep.equal(['running', 'line 1', 'line 2', 'completed'])
      expect(server.requests.at(-1)?.url).to.equal('/logs/e-1?after=1')
    })

    it('polls at once when a proxy makes a web page of the stream', async () => {
      const {events} = await follow(
        reply(200, '<html>', {'content-type': 'text/html'}),
        reply(200, {execution_id: 'e-1', status: 'failed'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
        reply(200, {execution_id: 'e-1', status: 'failed'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
      )
      expect(seen(events)).to.deep.equal(['failed'])
    })

    it('is PROTOCOL when an event is not as the protocol says', async () => {
      for (const bad of [
        'event: status\ndata: {"type":"status"}\n\n',
        'event: log\ndata: not json\n\n',
        'event: step\ndata: 7\n\n',
      ]) {
        expect(await codeOf(follow(stream(bad)))).to.equal('PROTOCOL')
      }
    })

    it('is PROTOCOL when an event never ends', async () => {
      expect(await codeOf(follow(stream(`data: ${'x'.repeat(5 * 1024 * 1024)}`)))).to.equal('PROTOCOL')
    })

    it('gives up on an execution that is not found', async () => {
      expect(await codeOf(follow(reply(404, {detail: 'Execution not found'})))).to.equal('NOT_FOUND')
    })

    it('ends at once when aborted, and at its deadline', async () => {
      const open: Behaviour = (_request, response) => {
        response.writeHead(200, {'content-type': 'text/event-stream'})
        response.write(status('running', '1'))
      }
      const server = await startServer(announced('events'), open, announced('events'), open)
      const controller = new AbortController()
      const following = client({baseUrl: server.url}).follow('e-1', {signal: controller.signal})
      const reading = (async () => {
        for await (const event of following) if (event.type === 'status') controller.abort()
      })()
      expect(await codeOf(reading)).to.equal('INTERRUPTED')
      const clock: Clock = {...jumpingClock(), now: () => 0}
      const timed = client({baseUrl: server.url}, clock).follow('e-1', {deadline: 40})
      expect(await codeOf(Array.fromAsync(timed))).to.equal('WAIT_TIMEOUT')
    })
  })
})
