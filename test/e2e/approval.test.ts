import {access, readFile, writeFile} from 'node:fs/promises'
import {createInterface} from 'node:readline'
import {expect} from 'chai'
import {type AtomctlProcess, createSandbox, finished, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'
import {stopServices} from '../support/services.ts'

const PEOPLE = {ann: 'operator', ben: 'approver', dora: 'admin'} as const
type Person = keyof typeof PEOPLE

const tokenOf = (person: Person): string => `a-long-token-of-${person}`

// Two people and a package that wants both of them, through the real binary and the real services.
describe('approvals', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let services: AtomctlProcess
  let runtimeUrl: string

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeFile(sandbox.path('guarded.wpk.yaml'), PACKAGE)
    expect((await sandbox.atomctl(['sign', 'guarded.wpk.yaml'])).code).to.equal(0)
    const lines = Object.entries(PEOPLE).map(([name, role]) => `${tokenOf(name as Person)} name=${name} role=${role}`)
    await writeFile(sandbox.path('tokens'), `${lines.join('\n')}\n`)
    const ports = ['--registry-port', '0', '--runtime-port', '0']
    services = sandbox.spawn(['serve', 'all', ...ports, '--token-file', 'tokens', '--data-dir', 'data', '-o', 'json'])
    services.stderr.resume()
    for await (const line of createInterface({input: services.stdout})) {
      runtimeUrl = (JSON.parse(line) as {data: {runtime_url: string}}).data.runtime_url
      break
    }
  })
  after(async () => {
    services.kill('SIGTERM')
    await new Promise((resolve) => services.once('exit', resolve))
    await sandbox[Symbol.asyncDispose]()
  })

  const env = (person: Person) => ({ATOMCTL_AUTH_TOKEN: tokenOf(person), ATOMCTL_RUNTIME_URL: runtimeUrl})
  const as = (person: Person, ...args: string[]): Promise<RunResult> => sandbox.atomctl(args, {env: env(person)})
  const run = (file: string, ...more: string[]): string[] => [
    'run',
    'guarded.wpk.yaml',
    '-p',
    `target=${sandbox.path(file)}`,
    ...more,
  ]
  const exists = (file: string): Promise<boolean> =>
    access(sandbox.path(file)).then(
      () => true,
      () => false,
    )
  const idIn = ({stdout}: RunResult): string => /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''

  it('hold an execution back (exit 8) until somebody else approves, and show what is approved', async () => {
    const started = await as('ann', ...run('first'))
    expect(started.code, started.stderr).to.equal(8)
    expect(started.stdout).to.contain('Waits for approval: 0 of 1').and.to.contain('who is not ann')
    const id = idIn(started)
    const status = await as('ann', 'status', id)
    expect(status.code).to.equal(0)
    expect(status.stdout)
      .to.match(/Document: sha256:[0-9a-f]{64}/)
      .and.to.contain(`atomctl approve ${id}`)
    expect((await as('ann', 'approve', id)).code).to.equal(5)
    expect(await exists('first')).to.equal(false)
    const approved = await as('ben', 'approve', id, '--reason', 'reviewed')
    expect(approved.code, approved.stderr).to.equal(0)
    const ended = await as('ann', 'status', id, '--watch', '-o', 'json')
    expect(ended.code).to.equal(0)
    const {data} = JSON.parse(ended.stdout) as {data: {status: string; audit: {actor: string; action: string}[]}}
    expect(data.status).to.equal('completed')
    expect(data.audit.map(({actor, action}) => `${actor} ${action}`)).to.deep.equal(['ann requested', 'ben approved'])
    expect(await readFile(sandbox.path('first'), 'utf8')).to.equal('done\n')
  })

  it('end a waiting run with 22 when it is rejected, saying who and why', async () => {
    const waiting = sandbox.spawn(run('second', '--wait'), {env: env('ann')})
    const result = finished(waiting)
    const id = await new Promise<string>((resolve) => {
      let seen = ''
      waiting.stderr.on('data', (chunk: string) => {
        seen += chunk
        const found = /waits for approval.*atomctl approve (\S+)/.exec(seen)?.[1]
        if (found !== undefined) resolve(found)
      })
    })
    expect((await as('ben', 'reject', id)).code).to.equal(2)
    expect((await as('ben', 'reject', id, '--reason', 'not today')).code).to.equal(0)
    const {code, stderr} = await result
    expect(code).to.equal(22)
    expect(stderr).to.contain('Rejected by ben: not today')
    expect((await as('ben', 'approve', id)).code).to.equal(7)
    expect(await exists('second')).to.equal(false)
  })

  it('do not keep a wait longer than its --timeout (exit 124), and the execution goes on waiting', async () => {
    const timedOut = await as('ann', ...run('third', '--wait', '--timeout', '500ms'))
    expect(timedOut.code).to.equal(124)
    const id = idIn(timedOut)
    expect((await as('ann', 'status', id)).stdout).to.contain('Status: pending')
    expect((await as('ann', 'cancel', id)).code).to.equal(0)
    expect((await as('ben', 'approve', id)).code).to.equal(7)
  })

  it('are passed by only by an administrator who gives a reason', async () => {
    expect((await as('ann', ...run('fourth', '--break-glass', 'please'))).code).to.equal(5)
    const broken = await as('dora', ...run('fourth', '--wait', '--break-glass', 'production is down'))
    expect(broken.code, broken.stderr).to.equal(0)
    expect((await as('ann', 'status', idIn(broken))).stdout).to.contain('Glass broken: production is down')
  })

  it('are refused by a runtime inside the command, which nobody else can reach', async () => {
    const local = await sandbox.atomctl(run('fifth', '--local'))
    expect(local.code).to.equal(1)
    expect(local.stderr).to.contain('approve')
  })

  it('may come from oneself on the single-user services of dev up, which say so', async () => {
    const up = await sandbox.atomctl(['dev', 'up', '--registry-port', '0', '--runtime-port', '0'])
    expect(up.stdout).to.contain('single-user')
    try {
      const started = await sandbox.atomctl(run('sixth', '--context', 'dev'))
      expect(started.code, started.stderr).to.equal(8)
      expect((await sandbox.atomctl(['approve', idIn(started), '--context', 'dev'])).code).to.equal(0)
    } finally {
      await stopServices(sandbox)
    }
  })
})

const PACKAGE = `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: guarded
  version: "1.0.0"
  description: A test
  author: The tests
spec:
  runtime:
    type: shell
  safety:
    mode: manual
    approval_required: true
  handlers:
    - name: act
      type: shell
      config:
        command: 'echo done > "$TARGET"'
      timeout: "30s"
`
