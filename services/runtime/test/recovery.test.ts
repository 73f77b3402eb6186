import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {shell, Trust} from './support/packages.ts'
import {isAlive, readPid, ServerProcess} from './support/process.ts'
import {eventually, STARTUP_MS} from './support/waiting.ts'

describe('a runtime that stops in the middle of an execution', () => {
  let directory: string
  let trust: Trust
  let server: ServerProcess
  before(async function () {
    this.timeout(STARTUP_MS)
    directory = mkdtempSync(join(tmpdir(), 'recovery-'))
    trust = await Trust.create()
    server = await restart()
  })
  after(async () => {
    await server.kill('SIGKILL')
    rmSync(directory, {recursive: true, force: true})
  })

  /** Whoever dies is followed at once on the embedded database: there nobody waits for a lease to end. */
  const restart = (): Promise<ServerProcess> =>
    ServerProcess.start(directory, trust.policyFile, undefined, {ATOMCTL_TEST_LEASE_MS: '3600000'})
  const path = (name: string): string => join(directory, name)
  const effects = (file: string): string[] => readFileSync(path(file), 'utf8').trim().split('\n')

  /** Three steps that write down what they do; the second waits for a file on its first run. */
  async function begin(prefix: string): Promise<string> {
    const note = (text: string): string => `echo "${text} $ATOM_IDEMPOTENCY_KEY" >> "${path(`${prefix}-effects`)}"`
    const wait = `echo $$ > "${path(`${prefix}-pid`)}"; until [ -e "${path(`${prefix}-go`)}" ]; do sleep 0.02; done`
    const content = await trust.sign({
      handlers: [
        shell('one', `${note('one')}; echo made > artifact; echo "word=hello" > "$ATOM_OUTPUT"`),
        shell('two', `${note('two begins')}; ${wait}; ${note('two ends')}`),
        shell('three', `${note('three')}; echo "$WORD and $(cat artifact)"`),
      ],
    })
    const answer = await server.post('/execute', {workflow_id: 'test-package-1.0.0', wpk_content: content})
    await eventually('the second step runs', () => readPid(path(`${prefix}-pid`)))
    return String(answer.body['execution_id'])
  }

  const ended = (id: string): Promise<Record<string, unknown>> =>
    eventually('it ended', async () => {
      const execution = await server.get(`/execute/${id}`)
      return execution['completed_at'] ? execution : undefined
    })

  it('completes it after kill -9 and a new start, and repeats no completed step', async function () {
    this.timeout(60_000)
    const id = await begin('killed')
    const orphan = readPid(path('killed-pid'))!
    await server.kill('SIGKILL')
    const before = effects('killed-effects')
    server = await restart()
    await eventually('the step runs again', () => effects('killed-effects').length > before.length)
    await eventually('it noted its number', () => (readPid(path('killed-pid')) ?? orphan) !== orphan)
    expect(isAlive(orphan), 'the command of the killed runtime').to.equal(false)
    writeFileSync(path('killed-go'), '')
    const execution = await ended(id)
    expect(execution).to.include({status: 'completed', steps_completed: 3})
    const key = (position: number): string => `${id}/handler/${position}`
    expect(effects('killed-effects')).to.deep.equal([
      `one ${key(0)}`,
      `two begins ${key(1)}`,
      `two begins ${key(1)}`,
      `two ends ${key(1)}`,
      `three ${key(2)}`,
    ])
    const logs = execution['logs'] as string[]
    expect(logs).to.include('[three] hello and made')
    expect(logs.filter((line) => line === 'Handler one: success')).to.have.length(1)
  })

  it('stops its commands when it is told to stop, and completes them after a new start', async function () {
    this.timeout(60_000)
    const id = await begin('stopped')
    await server.kill('SIGTERM')
    expect(isAlive(readFileSync(path('stopped-pid'), 'utf8'))).to.equal(false)
    writeFileSync(path('stopped-go'), '')
    server = await restart()
    expect(await ended(id)).to.include({status: 'completed', steps_completed: 3})
    expect(effects('stopped-effects').map((line) => line.split(' ').slice(0, -1).join(' '))).to.deep.equal([
      'one',
      'two begins',
      'two begins',
      'two ends',
      'three',
    ])
  })

  it('goes on waiting for an approval after kill -9, and runs once it is given', async function () {
    this.timeout(60_000)
    const content = await trust.sign({
      handlers: [shell('act', `echo done >> "${path('approved-effects')}"`)],
      safety: {approval_required: true},
    })
    const started = await server.post('/execute', {workflow_id: 'test-package-1.0.0', wpk_content: content})
    const id = String(started.body['execution_id'])
    await server.kill('SIGKILL')
    server = await restart()
    expect(await server.get(`/execute/${id}`)).to.deep.include({status: 'pending', approval: started.body['approval']})
    expect((await server.post(`/execute/${id}/approve`, {reason: 'still wanted'})).status).to.equal(200)
    expect(await ended(id)).to.include({status: 'completed'})
    expect(effects('approved-effects')).to.deep.equal(['done'])
  })

  it('runs what was approved in the moment before it died', async function () {
    this.timeout(60_000)
    const content = await trust.sign({
      handlers: [shell('act', `echo done >> "${path('moment-effects')}"`)],
      safety: {approval_required: true},
    })
    const started = await server.post('/execute', {workflow_id: 'test-package-1.0.0', wpk_content: content})
    const id = String(started.body['execution_id'])
    void server.post(`/execute/${id}/approve`, {}).catch(() => {})
    await eventually('the approval is written', async () => {
      const {approval} = (await server.get(`/execute/${id}`)) as {approval: {state: string}}
      return approval.state === 'approved'
    })
    await server.kill('SIGKILL')
    server = await restart()
    expect(await ended(id)).to.include({status: 'completed'})
    expect(effects('moment-effects').length).to.be.within(1, 2)
  })

  it('resumes a rollback on demand after kill -9 in the middle of its steps, and repeats no completed one', async function () {
    this.timeout(60_000)
    const file = path('undo-effects')
    const note = (text: string): string => `echo "${text} $ATOM_IDEMPOTENCY_KEY" >> "${file}"`
    const wait = `touch "${path('undo-begun')}"; until [ -e "${path('undo-go')}" ]; do sleep 0.02; done`
    const content = await trust.sign({
      handlers: [shell('a', note('a')), shell('b', note('b')), shell('c', note('c'))],
      safety: {rollback_enabled: true},
      rollback: {
        enabled: true,
        handlers: [
          shell('undo-a', note('undo-a'), {undoes: 'a'}),
          shell('undo-b', `${note('undo-b begins')}; ${wait}; ${note('undo-b ends')}`, {undoes: 'b'}),
          shell('undo-c', note('undo-c'), {undoes: 'c'}),
        ],
      },
    })
    const {body} = await server.post('/execute', {workflow_id: 'test-package-1.0.0', wpk_content: content})
    const id = String(body['execution_id'])
    expect(await ended(id)).to.include({status: 'completed'})
    expect((await server.post(`/rollback/${id}`, {})).status).to.equal(200)
    await eventually('the second rollback step runs', () => existsSync(path('undo-begun')))
    await server.kill('SIGKILL')
    server = await restart()
    expect(await server.get(`/execute/${id}`)).to.deep.nested.include({
      status: 'completed',
      'rollback.status': 'running',
    })
    const begins = (): number => effects('undo-effects').filter((line) => line.startsWith('undo-b begins')).length
    await eventually('it runs again', () => begins() === 2)
    writeFileSync(path('undo-go'), '')
    const done = await eventually('it is rolled back', async () => {
      const execution = await server.get(`/execute/${id}`)
      return execution['status'] === 'rolled_back' && execution
    })
    expect(done['rollback']).to.include({status: 'completed'})
    expect(effects('undo-effects').slice(3)).to.deep.equal([
      `undo-c ${id}/rollback/0`,
      `undo-b begins ${id}/rollback/1`,
      `undo-b begins ${id}/rollback/1`,
      `undo-b ends ${id}/rollback/1`,
      `undo-a ${id}/rollback/2`,
    ])
    const logs = done['logs'] as string[]
    expect(logs.filter((line) => line === 'Starting rollback...')).to.have.length(1)
    expect(logs.filter((line) => line === 'Rollback undo-c: success')).to.have.length(1)
  })

  it('begins a rollback that was asked for in the moment before it died', async function () {
    this.timeout(60_000)
    const content = await trust.sign({
      handlers: [shell('a', 'true')],
      safety: {rollback_enabled: true},
      rollback: {enabled: true, handlers: [shell('undo', `echo undone >> "${path('asked-effects')}"; sleep 0.2`)]},
    })
    const {body} = await server.post('/execute', {workflow_id: 'test-package-1.0.0', wpk_content: content})
    const id = String(body['execution_id'])
    await ended(id)
    void server.post(`/rollback/${id}`, {}).catch(() => {})
    await eventually('the request is written', async () => (await server.get(`/execute/${id}`))['rollback'])
    await server.kill('SIGKILL')
    server = await restart()
    await eventually('it is rolled back', async () => (await server.get(`/execute/${id}`))['status'] === 'rolled_back')
    expect(effects('asked-effects').length).to.be.within(1, 2)
  })
})
