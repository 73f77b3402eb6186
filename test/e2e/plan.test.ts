import {readFile, stat, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'

// A dry run, saved, and the run that it allows: through the real binary and the real services.
describe('plans', function () {
  this.timeout(120_000)
  let sandbox: Sandbox

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeSignedPackage(sandbox, {name: 'planned', command: 'echo "$WHO" >> "$TARGET"'})
    await startServices(sandbox)
    expect((await sandbox.atomctl(['push', 'planned.wpk.yaml'])).code).to.equal(0)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const run = (who: string, ...more: string[]): Promise<RunResult> =>
    sandbox.atomctl(['run', 'planned-1.0.0', '-p', `who=${who}`, '-p', `target=${sandbox.path('out')}`, ...more])
  const plan = (who: string): Promise<RunResult> => run(who, '--dry-run', '--wait', '--plan-out', 'plan.json')
  const written = (): Promise<string> => readFile(sandbox.path('out'), 'utf8').catch(() => '')

  it('are saved by a dry run and let exactly that run', async () => {
    const made = await plan('ann')
    expect(made.code, made.stderr).to.equal(0)
    expect(made.stderr).to.contain('Plan saved: plan.json')
    expect((await stat(sandbox.path('plan.json'))).mode & 0o777).to.equal(0o600)
    const saved = JSON.parse(await readFile(sandbox.path('plan.json'), 'utf8')) as {steps: object[]; target: string}
    expect(saved.steps).to.deep.equal([{name: 'greet', type: 'shell', status: 'completed'}])
    expect(saved.target).to.match(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    const ran = await run('ann', '--plan', 'plan.json', '--wait')
    expect(ran.code, ran.stderr).to.equal(0)
    expect(await written()).to.equal('ann\n')
  })

  it('refuse other parameters, another package, another runtime and a plan that is too old, with 7', async () => {
    expect((await plan('ben')).code).to.equal(0)
    const before = await written()
    const other = await run('eve', '--plan', 'plan.json', '--wait')
    expect(other.code).to.equal(7)
    expect(other.stderr).to.contain('parameters')
    expect((await run('ben', '--plan', 'plan.json', '--runtime-url', 'http://127.0.0.1:9')).code).to.equal(7)
    expect((await run('ben', '--plan', 'plan.json', '--plan-max-age', '1ms')).code).to.equal(7)
    await writeSignedPackage(sandbox, {name: 'planned', version: '1.0.1', command: 'echo changed >> "$TARGET"'})
    const parameters = ['-p', 'who=ben', '-p', `target=${sandbox.path('out')}`]
    const changed = await sandbox.atomctl(['run', 'planned.wpk.yaml', ...parameters, '--plan', 'plan.json'])
    expect(changed.code).to.equal(7)
    expect(changed.stderr).to.contain('document')
    expect(await written()).to.equal(before)
  })

  it('are data: one that was written by hand runs nothing that is not verified', async () => {
    expect((await plan('ann')).code).to.equal(0)
    const text = await readFile(sandbox.path('plan.json'), 'utf8')
    await writeFile(sandbox.path('forged.json'), text.replace(/"document_digest": "[^"]+"/, '"document_digest": "x"'))
    expect((await run('ann', '--plan', 'forged.json')).code).to.equal(2)
    expect((await run('ann', '--plan', 'nowhere.json')).code).to.equal(2)
  })

  it('are bound to this process as well', async () => {
    const parameters = ['-p', 'who=local', '-p', `target=${sandbox.path('out')}`]
    const local = ['run', 'planned.wpk.yaml', ...parameters, '--local']
    expect((await sandbox.atomctl([...local, '--dry-run', '--plan-out', 'local.json'])).code).to.equal(0)
    expect((await sandbox.atomctl([...local, '--plan', 'local.json'])).code).to.equal(0)
    expect((await sandbox.atomctl(['run', 'planned.wpk.yaml', ...parameters, '--plan', 'local.json'])).code).to.equal(7)
  })

  it('want a dry run that is waited for', async () => {
    expect((await run('ann', '--plan-out', 'p.json')).code).to.equal(2)
    expect((await run('ann', '--dry-run', '--plan-out', 'p.json')).code).to.equal(2)
    expect((await run('ann', '--dry-run', '--plan', 'plan.json')).code).to.equal(2)
    expect((await run('ann', '--plan-max-age', '1h')).code).to.equal(2)
  })
})
