import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {expect} from 'chai'
import {shell} from '../support/packages.ts'
import {isAlive, readPid} from '../support/process.ts'
import {TestService} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

describe('the life of an execution', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start({concurrency: 4})
  })
  after(() => service.stop())

  const waiting = (name: string): object =>
    shell(
      'wait',
      `echo $$ > "${service.path(`${name}-pid`)}"; until [ -e "${service.path(name)}" ]; do sleep 0.02; done`,
    )
  const pidOf = (name: string): Promise<string> =>
    eventually(`${name} runs`, () => readPid(service.path(`${name}-pid`)))

  it('is cancelled in the middle of a step, whose processes are gone then', async () => {
    const id = await service.started({handlers: [shell('first', 'true'), waiting('never'), shell('last', 'true')]})
    const pid = await pidOf('never')
    const {body: health} = await service.request('/health')
    expect(health).to.include({status: 'healthy', active_executions: 1})
    const answer = await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    expect([answer.status, answer.body.status]).to.deep.equal([200, 'cancelling'])
    const execution = await service.ended(id)
    expect(execution).to.include({status: 'cancelled', current_step: 'wait', steps_completed: 1})
    expect(execution.steps?.map(({status}) => status)).to.deep.equal(['completed', 'cancelled', 'skipped'])
    expect(isAlive(pid)).to.equal(false)
    expect((await service.request('/health')).body.active_executions).to.equal(0)
  })

  it('can be cancelled twice, but not once it has ended', async () => {
    const id = await service.started({handlers: [waiting('twice')]})
    await pidOf('twice')
    await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    await service.ended(id)
    const again = await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    expect([again.status, again.body.status]).to.deep.equal([200, 'cancelled'])
    const done = await service.run({handlers: [shell('a', 'true')]})
    const late = await service.request(`/execute/${done.execution_id}/cancel`, {method: 'POST'})
    expect([late.status, late.body.code]).to.deep.equal([409, 'CONFLICT'])
  })

  it('is cancelled while it waits between attempts', async () => {
    const retry = {max_attempts: 5, backoff: '10m'}
    const id = await service.started({
      handlers: [shell('bad', `echo x >> "${service.path('attempts')}"; exit 1`, {retry})],
    })
    await eventually('the first attempt is over', async () => existsSync(service.path('attempts')))
    await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    expect((await service.ended(id)).status).to.equal('cancelled')
    expect(readFileSync(service.path('attempts'), 'utf8')).to.equal('x\n')
  })

  it('waits as pending when too many others run', async () => {
    const names = ['q1', 'q2', 'q3', 'q4', 'q5']
    const ids = []
    for (const name of names) ids.push(await service.started({handlers: [waiting(name)]}))
    for (const name of names.slice(0, 4)) await pidOf(name)
    expect((await service.execution(ids[4]!)).status).to.equal('pending')
    for (const name of names) writeFileSync(service.path(name), '')
    for (const id of ids) expect((await service.ended(id)).status).to.equal('completed')
  })

  describe('with an Idempotency-Key', () => {
    const key = {'idempotency-key': 'key-1'}

    it('is the same one for the same request', async () => {
      const content = await service.trust.sign({handlers: [shell('count', `echo x >> "${service.path('count')}"`)]})
      const answers = await Promise.all([1, 2, 3].map(() => service.submitContent(content, {}, key)))
      const ids = new Set(answers.map((answer) => answer.body.execution_id as string))
      expect(answers.map((answer) => answer.status)).to.deep.equal([200, 200, 200])
      expect(ids.size).to.equal(1)
      await service.ended([...ids][0]!)
      expect((await service.submitContent(content, {}, key)).body.execution_id).to.equal([...ids][0])
      expect(readFileSync(service.path('count'), 'utf8')).to.equal('x\n')
      const other = await service.submitContent(content, {parameters: {a: 1}}, key)
      expect([other.status, other.body.code]).to.deep.equal([409, 'CONFLICT'])
    })

    it('which is not printable is refused', async () => {
      const answer = await service.submit({handlers: [shell('a', 'true')]}, {}, {'idempotency-key': 'a b'})
      expect(answer.status).to.equal(422)
    })
  })

  it('is found in the list, newest first, page by page', async () => {
    const ids: string[] = []
    for (let i = 0; i < 5; i += 1)
      ids.push((await service.run({name: 'listed', handlers: [shell('a', 'true')]})).execution_id)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = `/executions?workflow_id=listed-1.0.0&limit=2${cursor ? `&cursor=${cursor}` : ''}`
      const {body} = await service.request(query)
      seen.push(...body.executions.map((execution: {execution_id: string}) => execution.execution_id))
      cursor = body.next_cursor
    }
    expect(seen).to.deep.equal(ids.toReversed())
    expect((await service.request('/executions?status=failed&workflow_id=listed-1.0.0')).body.executions).to.deep.equal(
      [],
    )
  })

  for (const query of ['limit=0', 'limit=x', 'status=odd', 'cursor=!!', 'cursor=bm9wZQ'])
    it(`cannot be listed with ${query}`, async () => {
      expect((await service.request(`/executions?${query}`)).status).to.equal(422)
    })

  it('has a log that is read on from where one stopped', async () => {
    const {execution_id: id} = await service.run({handlers: [shell('count', 'for i in 1 2 3 4 5; do echo $i; done')]})
    const first = (await service.request(`/logs/${id}?limit=2`)).body
    expect(first.logs).to.deep.equal(['[count] 1', '[count] 2'])
    const rest = (await service.request(`/logs/${id}?after=${first.next_after}`)).body
    expect(rest.logs).to.deep.equal(['[count] 3', '[count] 4', '[count] 5', 'Handler count: success'])
    expect(rest.next_after).to.equal(null)
    const seqs = rest.entries.map((entry: {seq: number}) => entry.seq)
    expect(seqs).to.deep.equal(seqs.toSorted((a: number, b: number) => a - b))
  })

  for (const path of ['/execute/nope', '/logs/nope', '/execute/nope/events', '/execute/nope/steps'])
    it(`answers 404 at ${path}`, async () => {
      const answer = await service.request(path)
      expect([answer.status, answer.body.detail]).to.deep.equal([404, 'Execution not found'])
    })
})

describe('a runtime that is told to stop', () => {
  it('takes nothing new, answers questions, and lets the running step end', async function () {
    this.timeout(STARTUP_MS)
    const service = await TestService.start({drainMs: 20_000})
    const go = service.path('go')
    const command = `touch "${go}-begun"; until [ -e "${go}" ]; do sleep 0.02; done; echo whole >> "${go}-effects"`
    const id = await service.started({handlers: [shell('long', command), shell('next', 'true')]})
    await eventually('it runs', () => existsSync(`${go}-begun`))
    const closing = service.runtime.close()
    const refused = await service.submit({handlers: [shell('a', 'true')]})
    expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([503, '5'])
    expect((await service.execution(id)).status).to.equal('running')
    writeFileSync(go, '')
    await closing
    expect(readFileSync(`${go}-effects`, 'utf8')).to.equal('whole\n')
    await service.stop()
  })
})
