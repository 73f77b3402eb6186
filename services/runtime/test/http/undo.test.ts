import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {expect} from 'chai'
import {api, shell, type PackageShape} from '../support/packages.ts'
import {TestService, type Answer} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

describe('rollback on demand', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
  })
  after(() => service.stop())

  const note = (file: string, text: string): string => `echo "${text}" >> "${service.path(file)}"`
  const notes = (file: string): string[] => readFileSync(service.path(file), 'utf8').trim().split('\n')
  const withRollback = (handlers: object[], undo: object[]): PackageShape => ({
    handlers,
    safety: {rollback_enabled: true},
    rollback: {enabled: true, handlers: undo},
  })
  const rollback = (id: string): Promise<Answer> => service.request(`/rollback/${id}`, {method: 'POST'})
  const undone = (id: string) =>
    eventually(`${id} is rolled back`, async () => {
      const execution = await service.execution(id)
      return execution.rollback && execution.rollback.status !== 'running' ? execution : undefined
    })

  it('undoes what a completed execution did, the last first, with what its handlers put out', async () => {
    const file = 'completed'
    const {execution_id: id} = await service.run(
      withRollback(
        [
          shell('a', `${note(file, 'a')}; echo "made=thing-7" > "$ATOM_OUTPUT"`),
          shell('b', note(file, 'b')),
          shell('c', note(file, 'c'), {when: 'never == 1'}),
        ],
        [
          shell('undo-a', note(file, 'undo-a $MADE $ATOM_EXECUTION_ID'), {undoes: 'a'}),
          shell('undo-b', note(file, 'undo-b'), {undoes: 'b'}),
          shell('undo-c', note(file, 'undo-c'), {undoes: 'c'}),
        ],
      ),
    )
    const answer = await rollback(id)
    expect([answer.status, answer.body.message]).to.deep.equal([200, 'Rollback started'])
    const execution = await undone(id)
    expect(execution).to.include({status: 'rolled_back', error_message: null})
    expect(execution.rollback).to.include({status: 'completed', requested_by: 'anonymous'})
    expect(notes(file)).to.deep.equal(['a', 'b', 'undo-b', `undo-a thing-7 ${id}`])
    expect(execution.logs?.slice(-4)).to.deep.equal([
      'Starting rollback...',
      'Rollback undo-b: success',
      'Rollback undo-a: success',
      'Rollback completed',
    ])
    expect(execution.audit?.map(({action}) => action)).to.deep.equal(['requested', 'rollback_requested'])
    await eventually('its directory is gone', () => readdirSync(service.path('work')).length === 0)
  })

  it('undoes what an execution had completed when it was cancelled', async () => {
    const file = 'cancelled'
    const id = await service.started(
      withRollback(
        [shell('a', note(file, 'a')), shell('hang', `${note(file, 'hang')}; sleep 60`)],
        [shell('undo', note(file, 'undo'), {undoes: 'a'}), shell('unhang', note(file, 'unhang'), {undoes: 'hang'})],
      ),
    )
    await eventually('it hangs', () => existsSync(service.path(file)) && notes(file).includes('hang'))
    await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    await service.ended(id)
    expect(notes(file)).to.deep.equal(['a', 'hang'])
    expect((await rollback(id)).status).to.equal(200)
    expect((await undone(id)).status).to.equal('rolled_back')
    expect(notes(file)).to.deep.equal(['a', 'hang', 'undo'])
  })

  it('that fails is told as such, and the next one does only what is left', async () => {
    const file = 'again'
    const {execution_id: id} = await service.run(
      withRollback(
        [shell('a', 'true'), shell('b', 'true')],
        [
          shell('undo-b', note(file, 'undo-b'), {undoes: 'b'}),
          shell('undo-a', `[ -e "${service.path('repaired')}" ] && ${note(file, 'undo-a')}`, {undoes: 'a'}),
        ],
      ),
    )
    await rollback(id)
    const failed = await undone(id)
    expect(failed.status).to.equal('failed')
    expect(failed.error_message).to.match(/^rollback failed: .*undo-a/)
    expect(failed.rollback).to.include({status: 'failed'})
    writeFileSync(service.path('repaired'), '')
    expect((await rollback(id)).status).to.equal(200)
    const done = await eventually('it is rolled back', async () => {
      const execution = await service.execution(id)
      return execution.status === 'rolled_back' && execution
    })
    expect(done.error_message).to.equal(null)
    expect(notes(file)).to.deep.equal(['undo-b', 'undo-a'])
  })

  it('finishes what an automatic rollback could not do', async () => {
    const file = 'automatic'
    const execution = await service.run(
      withRollback(
        [shell('a', 'true'), shell('b', 'exit 3')],
        [
          shell('undo-a', `[ -e "${service.path('mended')}" ] && ${note(file, 'undo-a')}`),
          shell('tidy', note(file, 'tidy')),
        ],
      ),
    )
    expect(execution).to.include({status: 'failed'})
    expect(execution.rollback).to.include({status: 'failed', requested_by: null})
    writeFileSync(service.path('mended'), '')
    await rollback(execution.execution_id)
    const done = await eventually('it is rolled back', async () => {
      const found = await service.execution(execution.execution_id)
      return found.status === 'rolled_back' && found
    })
    expect(done.error_message).to.equal('Handler b failed: exit code 3')
    expect(notes(file)).to.deep.equal(['tidy', 'undo-a'])
  })

  it('happens once, however many ask for it', async () => {
    const file = 'once'
    const {execution_id: id} = await service.run(
      withRollback([shell('a', 'true')], [shell('undo', note(file, 'undo'))]),
    )
    const answers = await Promise.all([1, 2, 3, 4].map(() => rollback(id)))
    expect(answers.map(({status}) => status).toSorted((a, b) => a - b)).to.deep.equal([200, 400, 400, 400])
    await undone(id)
    const late = await rollback(id)
    expect([late.status, late.body.detail]).to.deep.equal([400, 'Cannot rollback running execution'])
    expect(notes(file)).to.deep.equal(['undo'])
  })

  it('is refused while the execution runs, where nothing is registered, for a dry run and an unknown id', async () => {
    const running = await service.started(withRollback([shell('a', 'sleep 60')], [shell('undo', 'true')]))
    const early = await rollback(running)
    expect([early.status, early.body.detail]).to.deep.equal([400, 'Cannot rollback running execution'])
    await service.request(`/execute/${running}/cancel`, {method: 'POST'})
    const {execution_id: plain} = await service.run({handlers: [shell('a', 'true')]})
    expect((await rollback(plain)).body).to.include({code: 'CONFLICT'})
    const shape = withRollback([shell('a', 'true')], [shell('undo', 'true')])
    const {execution_id: dry} = await service.run(shape, {dry_run: true})
    expect((await rollback(dry)).status).to.equal(400)
    const only = withRollback([shell('a', 'exit 1')], [shell('undo', 'true', {undoes: 'a'})])
    expect((await rollback((await service.run(only)).execution_id)).status).to.equal(400)
    expect((await rollback('nope')).status).to.equal(404)
  })

  it('calls an api with the same key every time, so that the receiver may act once', async () => {
    const shape = withRollback([shell('a', 'true')], [api('call', {url: 'http://127.0.0.1:9/', method: 'POST'})])
    const {execution_id: id} = await service.run(shape)
    await rollback(id)
    expect((await undone(id)).rollback?.status).to.equal('failed')
  })
})

describe('a retry', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start({singleUser: true})
  })
  after(() => service.stop())

  const note = (file: string, text: string): string => `echo "${text}" >> "${service.path(file)}"`
  const notes = (file: string): string[] => readFileSync(service.path(file), 'utf8').trim().split('\n')
  const until = (file: string): string => `[ -e "${service.path(file)}" ]`
  const retry = (id: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
    service.request(`/execute/${id}/retry`, {body, headers})
  const three = (file: string, more: Partial<PackageShape> = {}): PackageShape => ({
    handlers: [
      shell('one', `${note(file, 'one $WHO')}; echo "word=hello" > "$ATOM_OUTPUT"`),
      shell('two', `${until(`${file}-go`)} && ${note(file, 'two $WORD')}`),
      shell('three', note(file, 'three $WORD')),
    ],
    ...more,
  })

  it('is a new execution that begins with the first step that failed, with the same parameters and outputs', async () => {
    const first = await service.run(three('first'), {parameters: {who: 'ann'}})
    expect(first.status).to.equal('failed')
    writeFileSync(service.path('first-go'), '')
    const {status, body} = await retry(first.execution_id)
    expect([status, body.retry_of]).to.deep.equal([200, first.execution_id])
    expect(body.execution_id).to.not.equal(first.execution_id)
    const second = await service.ended(body.execution_id)
    expect(second).to.include({status: 'completed', retry_of: first.execution_id, steps_completed: 3})
    expect(second.document_digest).to.equal(first.document_digest)
    expect(second.parameters_digest).to.equal(first.parameters_digest)
    expect(notes('first')).to.deep.equal(['one ann', 'two hello', 'three hello'])
    expect(second.audit?.[0]?.reason).to.equal(`retry of ${first.execution_id}`)
    const before = await service.execution(first.execution_id)
    expect(before.status).to.equal('failed')
    expect(before.audit?.at(-1)).to.include({action: 'retried', reason: `as ${body.execution_id}`})
  })

  it('begins with the step it is told, and runs everything from there', async () => {
    writeFileSync(service.path('from-go'), '')
    const first = await service.run(three('from'), {parameters: {who: 'ann'}})
    const {body} = await retry(first.execution_id, {from: 'two'})
    expect((await service.ended(body.execution_id)).status).to.equal('completed')
    expect(notes('from')).to.deep.equal(['one ann', 'two hello', 'three hello', 'two hello', 'three hello'])
  })

  it('undoes all that completed, before it and in it, when it fails itself', async () => {
    const file = 'undo'
    const id = await service.started({
      handlers: [
        shell('one', note(file, 'one')),
        shell('two', `${note(file, 'two')}; sleep 60`),
        shell('three', 'exit 1'),
      ],
      safety: {rollback_enabled: true},
      rollback: {
        enabled: true,
        handlers: ['one', 'two'].map((name) => shell(`un-${name}`, note(file, `un-${name}`), {undoes: name})),
      },
    })
    await eventually('two runs', () => existsSync(service.path(file)) && notes(file).includes('two'))
    await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    await service.ended(id)
    const {body} = await retry(id)
    await eventually('two runs again', () => notes(file).length === 3)
    const undoing = await service.request(`/rollback/${id}`, {method: 'POST'})
    expect([undoing.status, undoing.body.hint]).to.deep.equal([409, `atomctl rollback ${body.execution_id}`])
    await service.request(`/execute/${body.execution_id}/cancel`, {method: 'POST'})
    await service.ended(body.execution_id)
    await service.request(`/rollback/${body.execution_id}`, {method: 'POST'})
    await eventually('it is rolled back', () => notes(file).length === 4)
    expect(notes(file)).to.deep.equal(['one', 'two', 'two', 'un-one'])
  })

  it('runs everything again after a rollback, and nothing less', async () => {
    const file = 'rolled'
    const first = await service.run(
      three(file, {
        safety: {rollback_enabled: true},
        rollback: {enabled: true, handlers: [shell('un', note(file, 'un'), {undoes: 'one'})]},
      }),
      {parameters: {who: 'ann'}},
    )
    expect(first.status).to.equal('rolled_back')
    const partial = await retry(first.execution_id, {from: 'two'})
    expect([partial.status, partial.body.code]).to.deep.equal([409, 'CONFLICT'])
    writeFileSync(service.path(`${file}-go`), '')
    const {body} = await retry(first.execution_id)
    expect((await service.ended(body.execution_id)).status).to.equal('completed')
    expect(notes(file)).to.deep.equal(['one ann', 'un', 'one ann', 'two hello', 'three hello'])
  })

  it('is one for the same Idempotency-Key, and one at all', async () => {
    const first = await service.run(three('single'))
    writeFileSync(service.path('single-go'), '')
    const key = {'idempotency-key': 'retry-key'}
    const answers = await Promise.all([retry(first.execution_id, {}, key), retry(first.execution_id, {}, key)])
    expect(answers.map(({body}) => body.execution_id as string)).to.satisfy(([a, b]: string[]) => a === b)
    const other = await retry(first.execution_id)
    expect([other.status, other.body.code]).to.deep.equal([409, 'CONFLICT'])
    expect(other.body.hint).to.contain(answers[0]!.body.execution_id)
    await service.ended(answers[0]!.body.execution_id)
    expect(notes('single')).to.deep.equal(['one ', 'two hello', 'three hello'])
  })

  it('waits for an approval again', async () => {
    const first = await service.started(three('approved', {safety: {approval_required: true}}))
    await service.request(`/execute/${first}/approve`, {body: {}})
    await service.ended(first)
    const {body} = await retry(first)
    expect([body.status, body.approval.state]).to.deep.equal(['pending', 'waiting'])
    expect((await service.execution(body.execution_id)).steps_completed).to.equal(1)
    await service.request(`/execute/${body.execution_id}/reject`, {body: {reason: 'no'}})
    await service.ended(body.execution_id)
    expect((await retry(first)).status).to.equal(200)
  })

  it('of an execution that was cancelled before its first step runs all of it', async () => {
    const id = await service.started(three('early', {safety: {approval_required: true}}))
    await service.request(`/execute/${id}/cancel`, {method: 'POST'})
    await service.ended(id)
    writeFileSync(service.path('early-go'), '')
    const {body} = await retry(id)
    await service.request(`/execute/${body.execution_id}/approve`, {body: {}})
    expect((await service.ended(body.execution_id)).status).to.equal('completed')
    expect(notes('early')).to.deep.equal(['one ', 'two hello', 'three hello'])
  })

  it('is refused for what runs, completed, was a dry run, has a gap, or is not there', async () => {
    const running = await service.started({handlers: [shell('a', 'sleep 60')]})
    expect((await retry(running)).body.code).to.equal('CONFLICT')
    await service.request(`/execute/${running}/cancel`, {method: 'POST'})
    const {execution_id: done} = await service.run({handlers: [shell('a', 'true')]})
    expect((await retry(done)).body.code).to.equal('CONFLICT')
    expect((await retry(done, {from: 'nobody'})).status).to.equal(422)
    const {execution_id: dry} = await service.run({handlers: [shell('a', 'true')]}, {dry_run: true})
    expect((await retry(dry)).body.code).to.equal('CONFLICT')
    const {execution_id: gap} = await service.run(three('gap'))
    expect((await retry(gap, {from: 'three'})).body.detail).to.contain('two, before three, did not complete')
    expect((await retry('nope')).status).to.equal(404)
  })

  it('is refused when the signer is not trusted any more', async () => {
    const first = await service.run(three('untrusted'))
    const policy = readFileSync(service.trust.policyFile, 'utf8')
    writeFileSync(service.trust.policyFile, 'rules: []\n')
    try {
      expect((await retry(first.execution_id)).status).to.be.oneOf([403, 503])
    } finally {
      writeFileSync(service.trust.policyFile, policy)
    }
  })
})
