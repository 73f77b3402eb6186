import {existsSync} from 'node:fs'
import {readFile, rm, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {readServices, serveSigned, startServices, stopServices} from '../support/services.ts'

// Undoing and carrying on, through the real binary and the real services.
describe('rollback and retry', function () {
  this.timeout(120_000)
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

  const run = (name: string, directory: string): Promise<RunResult> =>
    sandbox.atomctl(['run', `${name}.wpk.yaml`, '-p', `base=${sandbox.path(directory)}`, '--wait'])
  const idIn = ({stdout}: RunResult): string => /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''
  const notes = async (file: string): Promise<string[]> =>
    (await readFile(sandbox.path(`${file}.notes`), 'utf8')).trim().split('\n')

  it('undo a completed execution on demand, once', async () => {
    await writeFile(sandbox.path('done.go'), '')
    const ran = await run('saga', 'done')
    expect(ran.code, ran.stderr).to.equal(0)
    const id = idIn(ran)
    const undone = await sandbox.atomctl(['rollback', id, '--wait'])
    expect(undone.code, undone.stderr).to.equal(0)
    expect(undone.stdout).to.contain('Rolled back').and.to.contain('rolled_back')
    expect(undone.stderr).to.contain('✓ undo-one completed')
    expect(await notes('done')).to.deep.equal(['one', 'two', 'undo-one'])
    expect((await sandbox.atomctl(['status', id])).stdout).to.contain('Rollback: completed')
    expect((await sandbox.atomctl(['status', id, '--watch'])).code).to.equal(23)
    const again = await sandbox.atomctl(['rollback', id, '--wait'])
    expect(again.code).to.equal(7)
    expect(await notes('done')).to.have.length(3)
  })

  it('tell a rolled back run (23) from one whose rollback failed (24), which a later rollback finishes', async () => {
    await writeFile(sandbox.path('auto.undo'), '')
    expect((await run('saga', 'auto')).code).to.equal(23)
    const failed = await run('saga', 'broken')
    expect(failed.code).to.equal(24)
    const id = idIn(failed)
    expect((await sandbox.atomctl(['rollback', id, '--wait'])).code).to.equal(24)
    await writeFile(sandbox.path('broken.undo'), '')
    expect((await sandbox.atomctl(['rollback', id, '--wait'])).code).to.equal(0)
    expect(await notes('broken')).to.deep.equal(['one', 'undo-one'])
  })

  it('go on after kill -9 of the service in the middle of the rollback', async () => {
    await writeFile(sandbox.path('killed.go'), '')
    const id = idIn(await run('saga', 'killed'))
    expect((await sandbox.atomctl(['rollback', id])).code).to.equal(0)
    for (const deadline = Date.now() + 20_000; !existsSync(sandbox.path('killed.begun')) && Date.now() < deadline;)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const {pid} = await readServices(sandbox)
    process.kill(pid, 'SIGKILL')
    await rm(sandbox.path('killed.begun'))
    await startServices(sandbox)
    for (const deadline = Date.now() + 20_000; !existsSync(sandbox.path('killed.begun')) && Date.now() < deadline;)
      await new Promise((resolve) => setTimeout(resolve, 20))
    await writeFile(sandbox.path('killed.undo'), '')
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;)
      if ((await sandbox.atomctl(['status', id])).stdout.includes('Status: rolled_back')) break
    expect((await sandbox.atomctl(['status', id])).stdout).to.contain('Status: rolled_back')
    expect(await notes('killed')).to.deep.equal(['one', 'two', 'undo-one'])
  })

  it('retry from the step that failed, in a new execution', async () => {
    const failed = await run('plain', 'retried')
    expect(failed.code).to.equal(20)
    await writeFile(sandbox.path('retried.go'), '')
    const retried = await sandbox.atomctl(['retry', idIn(failed), '--wait'])
    expect(retried.code, retried.stderr).to.equal(0)
    expect(await notes('retried')).to.deep.equal(['one', 'two'])
    expect((await sandbox.atomctl(['status', idIn(retried)])).stdout).to.contain(`Retry of: ${idIn(failed)}`)
    expect((await sandbox.atomctl(['retry', idIn(failed)])).code).to.equal(7)
    expect((await sandbox.atomctl(['retry', idIn(retried), '--from', 'nobody'])).code).to.equal(3)
    expect((await sandbox.atomctl(['retry', 'nope'])).code).to.equal(6)
  })
})

const UNDO = [
  'touch "$BASE.begun"',
  'case "$BASE" in',
  '*/done) ;;',
  '*/killed) until [ -e "$BASE.undo" ]; do sleep 0.05; done ;;',
  '*) [ -e "$BASE.undo" ] || exit 1 ;;',
  'esac',
  'echo undo-one >> "$BASE.notes"',
].join('\n')

const PACKAGE = `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: saga
  version: "1.0.0"
  description: A test
  author: The tests
spec:
  runtime:
    type: shell
  safety:
    mode: manual
  handlers:
    - name: one
      type: shell
      config:
        command: 'echo one >> "$BASE.notes"'
      timeout: "30s"
    - name: two
      type: shell
      config:
        command: '[ -e "$BASE.go" ] && echo two >> "$BASE.notes"'
      timeout: "30s"
  rollback:
    enabled: true
    handlers:
      - name: undo-one
        type: shell
        undoes: one
        config:
          command: ${JSON.stringify(UNDO)}
`
