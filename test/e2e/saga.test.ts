import {existsSync, readFileSync} from 'node:fs'
import {rm, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {isAlive, readPid} from '../../services/runtime/test/support/process.ts'
import {eventually} from '../../services/runtime/test/support/waiting.ts'
import {createSandbox, finished, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {readServices, serveSigned, startServices, stopServices} from '../support/services.ts'

// Three steps and their undoing, of which each waits, fails or goes on as files of the test say, through the real binary.
describe('an execution of several steps', function () {
  this.timeout(180_000)
  let sandbox: Sandbox

  before(async () => {
    sandbox = await createSandbox()
    const plain = PACKAGE.replace('name: saga', 'name: plain').split('  rollback:')[0]!
    await serveSigned(sandbox, {'saga.wpk.yaml': PACKAGE, 'plain.wpk.yaml': plain})
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const atomctl = (...args: string[]): Promise<RunResult> => sandbox.atomctl(args)
  const start = (name: string, ...more: string[]): string[] => {
    return ['run', 'saga.wpk.yaml', '-p', `base=${sandbox.path(name)}`, ...more]
  }
  const idIn = ({stdout}: RunResult): string => /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''
  const notes = (name: string): string[] =>
    existsSync(sandbox.path(`${name}.notes`))
      ? readFileSync(sandbox.path(`${name}.notes`), 'utf8')
          .trim()
          .split('\n')
      : []
  /** `one.wait`, `undo-two.fail`: what a step does, for as long as the file is there. */
  const tell = (name: string, ...what: string[]): Promise<unknown> =>
    Promise.all(what.map((word) => writeFile(sandbox.path(`${name}.${word}`), '')))
  const forget = (name: string, ...what: string[]): Promise<unknown> =>
    Promise.all(what.map((word) => rm(sandbox.path(`${name}.${word}`))))
  const pidOf = (name: string, step: string): Promise<string> =>
    eventually(`${step} of ${name} waits`, () => readPid(sandbox.path(`${name}.${step}.pid`)))
  async function begin(name: string): Promise<string> {
    const started = await atomctl(...start(name))
    expect(started.code, started.stderr).to.equal(0)
    return idIn(started)
  }
  async function statesOf(id: string): Promise<string[]> {
    const {stdout} = await atomctl('status', id, '-o', 'json')
    const {data} = JSON.parse(stdout) as {data: {steps: {name: string; status: string}[]}}
    return data.steps.map(({name, status}) => `${name} ${status}`)
  }
  async function crash(): Promise<void> {
    const {pid} = await readServices(sandbox)
    process.kill(pid, 'SIGKILL')
    await eventually('the services are dead', () => !isAlive(String(pid)))
    await startServices(sandbox)
  }

  describe('that is cancelled', () => {
    it('ends a waiting run with 21 in the middle of a step, kills what the step runs and undoes nothing by itself', async () => {
      await tell('mid', 'two.wait')
      const waiting = finished(sandbox.spawn(start('mid', '--wait')))
      const pid = await pidOf('mid', 'two')
      const [id = ''] = (await atomctl('executions', '-q')).stdout.split('\n')
      expect((await atomctl('rollback', id)).code, 'a rollback while it runs').to.equal(7)
      expect((await atomctl('retry', id)).code, 'a retry while it runs').to.equal(7)
      expect((await atomctl('cancel', id)).code).to.equal(0)
      const ended = await waiting
      expect(ended.code, ended.stderr).to.equal(21)
      expect(isAlive(pid)).to.equal(false)
      expect(notes('mid')).to.deep.equal(['one', 'two'])
      expect(await statesOf(id)).to.deep.equal(['one completed', 'two cancelled', 'three skipped'])
      expect((await atomctl('cancel', id)).code, 'once more changes nothing').to.equal(0)
      // only what completed is undone, when somebody asks for it
      expect((await atomctl('rollback', id, '--wait')).code).to.equal(0)
      expect(notes('mid')).to.deep.equal(['one', 'two', 'undo-one'])
    })

    it('can be carried on from the step that was cut off', async () => {
      await tell('on', 'two.wait')
      const id = await begin('on')
      await pidOf('on', 'two')
      expect((await atomctl('cancel', id)).code).to.equal(0)
      expect((await atomctl('status', id, '--watch')).code).to.equal(21)
      await forget('on', 'two.wait')
      expect((await atomctl('retry', id, '--from', 'three')).code, 'two did not complete').to.equal(7)
      const retried = await atomctl('retry', id, '--wait')
      expect(retried.code, retried.stderr).to.equal(0)
      expect(notes('on')).to.deep.equal(['one', 'two', 'two', 'three'])
    })

    it('while it undoes stops there; a rollback on demand does what is left, and nothing twice', async () => {
      await tell('undoing', 'three.fail', 'undo-one.wait')
      const id = await begin('undoing')
      await pidOf('undoing', 'undo-one')
      expect((await atomctl('cancel', id)).code).to.equal(0)
      expect((await atomctl('status', id, '--watch')).code).to.equal(21)
      await forget('undoing', 'undo-one.wait')
      expect((await atomctl('rollback', id, '--wait')).code).to.equal(0)
      expect(notes('undoing')).to.deep.equal(['one', 'two', 'three', 'undo-two', 'undo-one', 'undo-one'])
      expect((await atomctl('rollback', id)).code).to.equal(7)
    })

    it('cannot be one that ended (7) or that nobody knows (6)', async () => {
      const id = idIn(await atomctl(...start('ended', '--wait')))
      expect((await atomctl('cancel', id)).code).to.equal(7)
      for (const verb of ['cancel', 'rollback', 'retry']) expect((await atomctl(verb, 'nobody')).code, verb).to.equal(6)
    })
  })

  describe('that fails', () => {
    it('is undone in reverse across kill -9 between two undo steps, each of which ends once (23)', async () => {
      await tell('auto', 'three.fail', 'undo-one.wait')
      const id = await begin('auto')
      const orphan = await pidOf('auto', 'undo-one')
      expect(notes('auto')).to.deep.equal(['one', 'two', 'three', 'undo-two', 'undo-one'])
      await rm(sandbox.path('auto.undo-one.pid'))
      await crash()
      await pidOf('auto', 'undo-one')
      expect(isAlive(orphan), 'the command of the dead runtime').to.equal(false)
      await forget('auto', 'undo-one.wait')
      const ended = await atomctl('status', id, '--watch')
      expect(ended.code, ended.stdout).to.equal(23)
      expect(notes('auto')).to.deep.equal(['one', 'two', 'three', 'undo-two', 'undo-one', 'undo-one'])
      expect((await statesOf(id)).slice(0, 3)).to.deep.equal(['one completed', 'two completed', 'three failed'])
    })

    it('and cannot be undone ends with 24, undoes the rest, and is undone once what was in the way is gone', async () => {
      await tell('stuck', 'three.fail', 'undo-two.fail')
      const ran = await atomctl(...start('stuck', '--wait'))
      expect(ran.code, ran.stderr).to.equal(24)
      const id = idIn(ran)
      expect(notes('stuck')).to.deep.equal(['one', 'two', 'three', 'undo-two', 'undo-one'])
      expect((await atomctl('status', id, '--watch')).code).to.equal(24)
      expect((await atomctl('rollback', id, '--wait')).code).to.equal(24)
      await forget('stuck', 'undo-two.fail')
      expect((await atomctl('rollback', id, '--wait')).code).to.equal(0)
      expect(notes('stuck').slice(5)).to.deep.equal(['undo-two', 'undo-two'])
      expect((await atomctl('rollback', id, '--wait')).code).to.equal(7)
    })
  })

  describe('that completed', () => {
    it('is undone on demand in reverse, across kill -9 in between, once', async () => {
      await tell('demand', 'undo-two.wait')
      const id = idIn(await atomctl(...start('demand', '--wait')))
      expect((await atomctl('rollback', id)).code).to.equal(0)
      await pidOf('demand', 'undo-two')
      expect((await atomctl('rollback', id)).code, 'one at a time').to.equal(7)
      await rm(sandbox.path('demand.undo-two.pid'))
      await crash()
      await pidOf('demand', 'undo-two')
      await forget('demand', 'undo-two.wait')
      await eventually('it is rolled back', async () =>
        (await atomctl('status', id)).stdout.includes('Status: rolled_back'),
      )
      expect(notes('demand').slice(3)).to.deep.equal(['undo-three', 'undo-two', 'undo-two', 'undo-one'])
      const again = await atomctl('rollback', id, '--wait')
      expect([again.code, notes('demand').length]).to.deep.equal([7, 7])
    })

    it('has nothing to retry but from a step that is named, and then runs everything from there', async () => {
      const id = idIn(await atomctl(...start('whole', '--wait')))
      expect((await atomctl('retry', id)).code).to.equal(7)
      expect((await atomctl('retry', id, '--from', 'four')).code).to.equal(3)
      const retried = await atomctl('retry', id, '--from', 'two', '--wait')
      expect(retried.code, retried.stderr).to.equal(0)
      expect(notes('whole')).to.deep.equal(['one', 'two', 'three', 'two', 'three'])
      expect((await atomctl('retry', id, '--from', 'two')).code, 'carried on already').to.equal(7)
    })

    it('and was undone runs from its first step again, and from no other', async () => {
      const id = idIn(await atomctl(...start('undone', '--wait')))
      expect((await atomctl('rollback', id, '--wait')).code).to.equal(0)
      expect((await atomctl('retry', id, '--from', 'two')).code).to.equal(7)
      expect((await atomctl('retry', id, '--wait')).code).to.equal(0)
      expect(notes('undone').slice(6)).to.deep.equal(['one', 'two', 'three'])
    })
  })

  it('of which nothing can be undone refuses a rollback: a dry run, and a package without one', async () => {
    const dry = await atomctl(...start('dry', '--dry-run', '--wait', '-o', 'json'))
    const {data} = JSON.parse(dry.stdout) as {data: {execution_id: string}}
    for (const verb of ['rollback', 'retry']) expect((await atomctl(verb, data.execution_id)).code, verb).to.equal(7)
    const plain = await atomctl('run', 'plain.wpk.yaml', '-p', `base=${sandbox.path('plain')}`, '--wait')
    expect((await atomctl('rollback', idIn(plain))).code).to.equal(7)
    expect(notes('dry')).to.deep.equal([])
  })
})

const STEP = (name: string): string =>
  [
    `echo ${name} >> "$BASE.notes"`,
    `if [ -e "$BASE.${name}.wait" ]; then echo $$ > "$BASE.${name}.pid"; while [ -e "$BASE.${name}.wait" ]; do sleep 0.05; done; fi`,
    `[ ! -e "$BASE.${name}.fail" ]`,
  ].join('\n')
const handler = (name: string, more: object = {}): string =>
  JSON.stringify({name, type: 'shell', config: {command: STEP(name)}, timeout: '60s', ...more})

const PACKAGE = `apiVersion: v1
kind: WorkflowPackage
metadata: {name: saga, version: "1.0.0", description: A test, author: The tests}
spec:
  runtime: {type: shell}
  safety: {mode: manual}
  handlers:
    - ${handler('one')}
    - ${handler('two')}
    - ${handler('three')}
  rollback:
    enabled: true
    handlers:
      - ${handler('undo-one', {undoes: 'one'})}
      - ${handler('undo-two', {undoes: 'two'})}
      - ${handler('undo-three', {undoes: 'three'})}
`
