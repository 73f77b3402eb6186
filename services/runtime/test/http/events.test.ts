import {request, type IncomingMessage} from 'node:http'
import {once} from 'node:events'
import {writeFileSync} from 'node:fs'
import {createInterface} from 'node:readline'
import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import {executionEvent} from '@atomctl/protocol/runtime'
import {expect} from 'chai'
import {shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

interface Followed {
  events: ExecutionEvent[]
  comments: string[]
  response: IncomingMessage
  ended: Promise<unknown>
}

describe('the event stream of an execution', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start({heartbeatMs: 50})
  })
  after(() => service.stop())

  async function follow(id: string, headers: Record<string, string> = {}): Promise<Followed> {
    const sent = request(`${service.url}/execute/${id}/events`, {headers})
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const events: ExecutionEvent[] = []
    const comments: string[] = []
    const lines = createInterface({input: response})
    lines.on('line', (line) => {
      if (line.startsWith('data: ')) events.push(executionEvent.parse(JSON.parse(line.slice(6))))
      if (line.startsWith(':')) comments.push(line)
    })
    return {events, comments, response, ended: once(lines, 'close')}
  }

  const gated = (name: string): object[] => [
    shell('speak', `echo one; until [ -e "${service.path(name)}" ]; do sleep 0.02; done; echo two`),
  ]

  it('tells everything in order and ends with the final status', async () => {
    const id = await service.started({handlers: gated('order')})
    const followed = await follow(id)
    expect(followed.response.statusCode).to.equal(200)
    expect(followed.response.headers['content-type']).to.match(/^text\/event-stream/)
    await eventually('the first line arrives while it runs', () => followed.events.some(({type}) => type === 'log'))
    writeFileSync(service.path('order'), '')
    await followed.ended
    const told = followed.events.map((event) => {
      if (event.type === 'log') return event.log.text
      return event.type === 'status' ? `status ${event.execution.status}` : `${event.step.name} ${event.step.status}`
    })
    expect(told).to.deep.equal([
      'status running',
      'speak running',
      'one',
      'two',
      'Handler speak: success',
      'speak completed',
      'status completed',
    ])
    const ids = followed.events.map((event) => Number(event.id))
    expect(ids).to.deep.equal(ids.toSorted((a, b) => a - b))
  })

  // how soon is for benchmarks/wait-latency.ts to say: a busy machine must not fail a test
  it('tells the end to a reader that was there before it', async () => {
    const id = await service.started({handlers: gated('latency')})
    const followed = await follow(id)
    await eventually('it runs', () => followed.events.some(({type}) => type === 'log'))
    writeFileSync(service.path('latency'), '')
    await followed.ended
    expect(followed.events.at(-1)).to.deep.include({type: 'status'})
    expect((await service.execution(id)).status).to.equal('completed')
  })

  it('goes on after Last-Event-ID, without repeating or leaving out anything', async () => {
    const {execution_id: id} = await service.run({handlers: [shell('count', 'seq 1 1500')]})
    const whole = await follow(id)
    await whole.ended
    expect(whole.events.length).to.be.greaterThan(1500)
    const cut = whole.events[700]!
    const rest = await follow(id, {'last-event-id': cut.id})
    await rest.ended
    expect(rest.events).to.deep.equal(whole.events.slice(701))
  })

  it('gives the final status once more to a reader that had it all', async () => {
    const {execution_id: id} = await service.run({handlers: [shell('a', 'true')]})
    const whole = await follow(id)
    await whole.ended
    const again = await follow(id, {'last-event-id': whole.events.at(-1)!.id})
    await again.ended
    expect(again.events.map(({type}) => type)).to.deep.equal(['status'])
  })

  it('sends comments while nothing happens', async () => {
    const id = await service.started({handlers: gated('quiet')})
    const followed = await follow(id)
    await eventually('a comment', () => followed.comments.length > 0)
    writeFileSync(service.path('quiet'), '')
    await followed.ended
    expect(followed.events.at(-1)).to.have.property('type', 'status')
  })

  it('lets any number of readers come and go', async () => {
    const id = await service.started({handlers: gated('many')})
    const readers = await Promise.all(Array.from({length: 20}, () => follow(id)))
    for (const reader of readers.slice(0, 10)) reader.response.destroy()
    writeFileSync(service.path('many'), '')
    await Promise.all(readers.slice(10).map((reader) => reader.ended))
    for (const reader of readers.slice(10))
      expect(reader.events.at(-1)).to.have.nested.property('execution.status', 'completed')
  })

  for (const id of ['x', '-1', '1e9', '99999999999'])
    it(`refuses Last-Event-ID ${id}`, async () => {
      const {execution_id: execution} = await service.run({handlers: [shell('a', 'true')]})
      const answer = await service.request(`/execute/${execution}/events`, {headers: {'last-event-id': id}})
      expect(answer.status).to.equal(422)
    })
})
