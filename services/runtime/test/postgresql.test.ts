import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {startPostgresql, type TestDatabase} from '../../storage/test/support/postgresql.ts'
import {shell, Trust} from './support/packages.ts'
import {isAlive, readPid, ServerProcess} from './support/process.ts'
import {eventually, STARTUP_MS} from './support/waiting.ts'

/** A runtime is taken for dead after fifteen seconds without a sign of life. */
const ADOPTED_SECONDS = 40

describe('the only runtime on a PostgreSQL', function () {
  this.timeout(120_000)

  it('is followed by the next one on its machine without waiting for its lease', async function () {
    const database = await startPostgresql()
    if (!database || process.platform !== 'linux') {
      console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
      return this.skip()
    }
    const directory = mkdtempSync(join(tmpdir(), 'only-'))
    const trust = await Trust.create()
    // nothing but the end of the process itself can tell within an hour
    const start = (): Promise<ServerProcess> =>
      ServerProcess.start(directory, trust.policyFile, database.url, {ATOMCTL_TEST_LEASE_MS: '3600000'})
    let server = await start()
    try {
      const note = join(directory, 'begun')
      const handlers = [
        shell('one', `echo x >> "${note}"; until [ -e "${join(directory, 'go')}" ]; do sleep 0.02; done`),
      ]
      const {body} = await server.post('/execute', {workflow_id: 'w', wpk_content: await trust.sign({handlers})})
      await eventually('the step runs', () => existsSync(note))
      await server.kill('SIGKILL')
      writeFileSync(join(directory, 'go'), '')
      server = await start()
      const ended = await eventually('it ended', async () => {
        const execution = await server.get(`/execute/${String(body['execution_id'])}`)
        return execution['completed_at'] ? execution : undefined
      })
      expect(ended).to.include({status: 'completed'})
      expect(readFileSync(note, 'utf8')).to.equal('x\nx\n')
    } finally {
      await server.kill('SIGKILL')
      await database.stop()
      rmSync(directory, {recursive: true, force: true})
    }
  })
})

describe('two runtimes on one PostgreSQL', function () {
  this.timeout(120_000)
  let directory: string
  let trust: Trust
  let database: TestDatabase | undefined
  let servers: ServerProcess[] = []
  before(async function () {
    this.timeout(STARTUP_MS)
    database = await startPostgresql()
    if (!database) {
      console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
      return this.skip()
    }
    directory = mkdtempSync(join(tmpdir(), 'peers-'))
    trust = await Trust.create()
    const {url} = database
    const start = (name: string): Promise<ServerProcess> =>
      ServerProcess.start(join(directory, name), trust.policyFile, url)
    servers = [await start('first'), await start('second')]
  })
  after(async () => {
    for (const server of servers) await server.kill('SIGKILL')
    await database?.stop()
    if (directory) rmSync(directory, {recursive: true, force: true})
  })

  const path = (name: string): string => join(directory, name)

  async function begin(server: ServerProcess, name: string): Promise<string> {
    const note = (text: string): string => `echo ${text} >> "${path(`${name}-effects`)}"`
    const wait = `echo $$ > "${path(`${name}-pid`)}"; until [ -e "${path(name)}" ]; do sleep 0.02; done`
    const handlers = [shell('one', note('one')), shell('two', `${note('two')}; ${wait}`), shell('three', note('three'))]
    const answer = await server.post('/execute', {workflow_id: 'w', wpk_content: await trust.sign({handlers})})
    await eventually('the second step runs', () => readPid(path(`${name}-pid`)))
    return String(answer.body['execution_id'])
  }

  const ended = (server: ServerProcess, id: string): Promise<Record<string, unknown>> =>
    eventually(
      'it ended',
      async () => {
        const execution = await server.get(`/execute/${id}`)
        return execution['completed_at'] ? execution : undefined
      },
      ADOPTED_SECONDS,
    )

  it('see the same executions, and run each once', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess]
    const id = await begin(first, 'shared')
    expect(await second.get(`/execute/${id}`)).to.include({status: 'running', current_step: 'two'})
    writeFileSync(path('shared'), '')
    expect(await ended(second, id)).to.include({status: 'completed'})
    expect(readFileSync(path('shared-effects'), 'utf8')).to.equal('one\ntwo\nthree\n')
  })

  it('tell each other at once what happens', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess]
    const id = await begin(first, 'followed')
    const response = await fetch(`${second.url}/execute/${id}/events`)
    const times: number[] = []
    const reading = (async () => {
      for await (const chunk of response.body ?? [])
        if (String(Buffer.from(chunk)).includes('event:')) times.push(Date.now())
    })()
    await eventually('the beginning was sent', () => times.length > 0)
    writeFileSync(path('followed'), '')
    await reading
    const {completed_at: completed} = await second.get(`/execute/${id}`)
    expect(times.at(-1)! - Date.parse(String(completed))).to.be.lessThan(500)
  })

  it('cancel what the other one runs', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess]
    const id = await begin(first, 'elsewhere')
    const pid = readFileSync(path('elsewhere-pid'), 'utf8')
    expect((await second.post(`/execute/${id}/cancel`, {})).status).to.equal(200)
    expect(await ended(first, id)).to.include({status: 'cancelled'})
    await eventually('its command is gone', () => !isAlive(pid))
  })

  it('let one person approve at either, once, what was asked for at one of them', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess]
    const handlers = [shell('act', `echo acted >> "${path('approved-effects')}"`)]
    const content = await trust.sign({handlers, safety: {approval_required: true}})
    const {body} = await first.post('/execute', {workflow_id: 'w', wpk_content: content})
    const id = String(body['execution_id'])
    const answers = await Promise.all(servers.map((server) => server.post(`/execute/${id}/approve`, {})))
    expect(answers.map(({status}) => status).toSorted((a, b) => a - b)).to.deep.equal([200, 409])
    expect(await ended(second, id)).to.include({status: 'completed'})
    expect(readFileSync(path('approved-effects'), 'utf8')).to.equal('acted\n')
  })

  it('roll an execution back once, though both are asked at the same moment', async () => {
    const [first] = servers as [ServerProcess]
    const {id} = await beginSaga(first, 'both')
    const answers = await Promise.all(servers.map((server) => server.post(`/rollback/${id}`, {})))
    expect(answers.map(({status}) => status).toSorted((a, b) => a - b)).to.deep.equal([200, 400])
    writeFileSync(path('both'), '')
    await rolledBack(first, id)
    expect(readFileSync(path('both-effects'), 'utf8')).to.equal('undo-b\nundo-a begins\nundo-a ends\n')
  })

  it('take over a rollback from one that was killed in the middle of it', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess]
    const {id, hasBegun} = await beginSaga(first, 'undone')
    expect((await first.post(`/rollback/${id}`, {})).status).to.equal(200)
    await eventually('the second rollback step runs', hasBegun)
    await first.kill('SIGKILL')
    servers[0] = await ServerProcess.start(join(directory, 'again'), trust.policyFile, database!.url)
    const effects = (): string => readFileSync(path('undone-effects'), 'utf8')
    const both = 'undo-b\nundo-a begins\nundo-a begins\n'
    await eventually('it runs again', () => effects() === both, ADOPTED_SECONDS)
    const [orphan = ''] = readFileSync(path('undone-pid'), 'utf8').split('\n')
    await eventually('the command of the dead runtime is gone', () => !isAlive(orphan))
    writeFileSync(path('undone'), '')
    await rolledBack(second, id)
    expect(effects()).to.equal('undo-b\nundo-a begins\nundo-a begins\nundo-a ends\n')
  })

  /** A completed execution whose second rollback step waits for a file. */
  async function beginSaga(server: ServerProcess, name: string): Promise<{id: string; hasBegun: () => boolean}> {
    const note = (text: string): string => `echo "${text}" >> "${path(`${name}-effects`)}"`
    const wait = `echo $$ >> "${path(`${name}-pid`)}"; until [ -e "${path(name)}" ]; do sleep 0.02; done`
    const undo = `${note('undo-a begins')}; ${wait}; ${note('undo-a ends')}`
    const content = await trust.sign({
      handlers: [shell('a', 'true'), shell('b', 'true')],
      safety: {rollback_enabled: true},
      rollback: {
        enabled: true,
        handlers: [shell('undo-a', undo, {undoes: 'a'}), shell('undo-b', note('undo-b'), {undoes: 'b'})],
      },
    })
    const {body} = await server.post('/execute', {workflow_id: 'w', wpk_content: content})
    const id = String(body['execution_id'])
    await ended(server, id)
    return {id, hasBegun: () => readPid(path(`${name}-pid`)) !== undefined}
  }

  const rolledBack = (server: ServerProcess, id: string): Promise<unknown> =>
    eventually(
      'it is rolled back',
      async () => (await server.get(`/execute/${id}`))['status'] === 'rolled_back',
      ADOPTED_SECONDS,
    )

  it('take over from one that was killed, without repeating what it completed', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess]
    const id = await begin(first, 'adopted')
    await first.kill('SIGKILL')
    writeFileSync(path('adopted'), '')
    expect(await ended(second, id)).to.include({status: 'completed', steps_completed: 3})
    expect(readFileSync(path('adopted-effects'), 'utf8')).to.equal('one\ntwo\ntwo\nthree\n')
  })
})
