import {existsSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {delimiter, dirname} from 'node:path'
import {expect} from 'chai'
import {KubernetesDouble} from '../../services/runtime/test/support/kubernetes/double.ts'
import {requireKubectl} from '../../services/runtime/test/support/kubernetes/kubectl.ts'
import {createSandbox, finished, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'
import {serveFor, type SharedServices} from '../support/people.ts'

const PEOPLE = {ann: 'operator', ben: 'approver', carl: 'approver', dora: 'admin'} as const
const HOUR = 3_600_000

// What the runtime forbids, through the real binary, with several people and a policy that changes while it serves.
describe('the safety policy', function () {
  this.timeout(180_000)
  let sandbox: Sandbox
  let cluster: KubernetesDouble
  let services: SharedServices

  before(async function () {
    const kubectl = requireKubectl(this)
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    const files = Object.entries(PACKAGES).map(([name, spec]) => [`${name}.wpk.yaml`, packageOf(name, spec)] as const)
    for (const [file, text] of files) await writeFile(sandbox.path(file), text)
    const signed = await sandbox.atomctl(['sign', ...files.map(([file]) => file)])
    expect(signed.code, signed.stderr).to.equal(0)
    cluster = await KubernetesDouble.start()
    cluster.addDeployment('staging', 'web')
    const PATH = [dirname(kubectl), process.env['PATH']].join(delimiter)
    services = await serveFor(sandbox, PEOPLE, {PATH, KUBECONFIG: cluster.kubeconfig})
  })
  after(async () => {
    await services?.[Symbol.asyncDispose]()
    await cluster?.stop()
    await sandbox?.[Symbol.asyncDispose]()
  })
  beforeEach(() => services.rule('{}'))

  const run = (person: string, name: string, ...more: string[]): Promise<RunResult> =>
    services.as(person, 'run', `${name}.wpk.yaml`, ...more)
  const target = (file: string): string[] => ['-p', `target=${sandbox.path(file)}`]
  const done = (file: string): boolean => existsSync(sandbox.path(file))
  const idIn = ({stdout}: RunResult): string => /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''
  const errorIn = ({stdout}: RunResult): unknown => (JSON.parse(stdout) as {error?: {code?: string}}).error?.code
  const freeze = (): string => {
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString()
    return `freeze: [{from: "${at(-HOUR)}", to: "${at(HOUR)}", reason: the sale of the year}]\n`
  }

  describe('limits', () => {
    const refused: [string, string, string, RegExp][] = [
      ['a type that may not run', 'act', '{handlers: [k8s]}', /handler "act": its type is shell/],
      ['a namespace', 'scale', '{namespaces: ["prod-*"]}', /namespace staging is not one of prod-\*/],
      ['replicas that it names', 'scale', '{max_replicas: 3}', /scales to 4 replicas, and 3 are the most/],
    ]
    for (const [what, name, limit, expected] of refused)
      it(`refuse ${what} before anything starts (5)`, async () => {
        await services.rule(`limits: [${limit}]\n`)
        const refusal = await run('ann', name, ...(name === 'act' ? target('limited') : []), '--wait')
        expect([refusal.code, idIn(refusal)]).to.deep.equal([5, ''])
        expect(refusal.stderr).to.match(expected)
        expect(done('limited')).to.equal(false)
        expect(cluster.changes).to.deep.equal([])
      })

    it('hold for a batch and for broken glass as well', async () => {
      await services.rule('limits: [{namespaces: [prod]}]\n')
      expect((await run('dora', 'scale', '--break-glass', 'please')).code).to.equal(5)
      expect((await services.as('ann', 'batch', 'run', 'scale.wpk.yaml', '--wait')).code).to.equal(5)
    })

    const inTheStep: [string, string, string, RegExp][] = [
      ['replicas hidden in a patch', 'patch', '{max_replicas: 3}', /70 replicas of deployment web, and 3 are the most/],
      ['too many pods', 'restart', '{max_pods: 1}', /2 pods would be affected, and 1 are the most/],
      ['too many objects', 'apply', '{max_objects: 1}', /2 objects would change, and 1 are the most/],
    ]
    for (const [what, name, limit, expected] of inTheStep)
      it(`stop ${what} in the step, which exits with 5 as well, and is not tried again`, async () => {
        await services.rule(`limits: [${limit}]\n`)
        const ran = await run('ann', name, '--wait')
        expect(ran.code, ran.stderr).to.equal(5)
        expect(ran.stderr).to.match(expected).and.to.contain('[ERROR] Execution denied')
        const status = await services.as('ann', 'status', idIn(ran), '-o', 'json')
        const {data} = JSON.parse(status.stdout) as {data: {error_code: string; steps: {attempt: number}[]}}
        expect([data.error_code, data.steps[0]?.attempt]).to.deep.equal(['DENIED', 1])
        expect(cluster.changes).to.deep.equal([])
      })

    it('that only show in a step exit with 5 from a dry run, a batch, a retry and a watched status too', async () => {
      await services.rule('limits: [{max_pods: 1}]\n')
      const id = idIn(await run('ann', 'restart', '--wait'))
      const planned = await run('ann', 'restart', '--dry-run', '--wait', '-o', 'json')
      expect([planned.code, errorIn(planned)]).to.deep.equal([5, 'DENIED'])
      expect((await services.as('ann', 'batch', 'run', 'restart.wpk.yaml', '--wait')).code).to.equal(5)
      expect((await services.as('ann', 'status', id, '--watch')).code).to.equal(5)
      expect((await services.as('ann', 'retry', id, '--wait')).code).to.equal(5)
      expect(cluster.changes).to.deep.equal([])
    })

    it('that forbid a step after others roll those back (23)', async () => {
      await services.rule('limits: [{max_pods: 1}]\n')
      const ran = await run('ann', 'undone', ...target('undone'), '--wait', '-o', 'json')
      expect([ran.code, errorIn(ran)]).to.deep.equal([23, 'EXECUTION_ROLLED_BACK'])
      expect((JSON.parse(ran.stdout) as {data: object}).data).to.include({error_code: 'DENIED'})
      expect(done('undone')).to.equal(false)
      expect(cluster.changes).to.deep.equal([])
    })

    it('that became stricter refuse a retry too (5)', async () => {
      const failed = await run('ann', 'act', ...target('no/such/directory'), '--wait')
      expect(failed.code).to.equal(20)
      await services.rule('limits: [{handlers: [k8s]}]\n')
      const retried = await services.as('ann', 'retry', idIn(failed), '--wait')
      expect(retried.code, retried.stderr).to.equal(5)
    })

    it('let through what stays within them', async () => {
      await services.rule('limits: [{handlers: [k8s], namespaces: [staging], max_replicas: 4, max_pods: 4}]\n')
      const ran = await run('ann', 'scale', '--wait')
      expect(ran.code, ran.stderr).to.equal(0)
      expect(cluster.get('Deployment', 'staging', 'web').spec.replicas).to.equal(4)
    })
  })

  it('freezes for everybody (5) but an administrator who breaks the glass, which is recorded', async () => {
    await services.rule(freeze())
    const refused = await run('ann', 'act', ...target('frozen'), '--wait')
    expect(refused.code).to.equal(5)
    expect(refused.stderr).to.contain('the sale of the year').and.to.contain('--break-glass')
    for (const person of ['ann', 'ben'])
      expect((await run(person, 'act', ...target('frozen'), '--break-glass', 'please')).code).to.equal(5)
    expect(done('frozen')).to.equal(false)
    const broken = await run('dora', 'act', ...target('frozen'), '--wait', '--break-glass', 'production is down')
    expect(broken.code, broken.stderr).to.equal(0)
    expect(done('frozen')).to.equal(true)
    expect(await trail(idIn(broken))).to.deep.equal([
      ['dora', 'admin', 'requested', null],
      ['dora', 'admin', 'break_glass', 'production is down'],
    ])
  })

  it('that cannot be read lets nothing start', async () => {
    await services.rule('limits: [{max_pods: many}]\n')
    const refused = await run('ann', 'act', ...target('unread'))
    expect(refused.code).to.not.equal(0)
    expect(refused.stderr).to.contain('max_pods')
    expect(done('unread')).to.equal(false)
  })

  it('lets a package that asks for a dry run start after one with the same bytes and parameters alone', async () => {
    const wanted = ['rehearsed', ...target('rehearsed'), '--wait'] as const
    const early = await run('ann', ...wanted)
    expect(early.code).to.equal(5)
    expect(early.stderr).to.contain('dry run')
    expect((await run('ann', ...wanted, '--dry-run')).code).to.equal(0)
    expect((await run('ann', 'rehearsed', ...target('another'), '--wait')).code).to.equal(5)
    await writeFile(sandbox.path('rehearsed2.wpk.yaml'), packageOf('rehearsed', `${PACKAGES['rehearsed']}\n`, 'other'))
    expect((await sandbox.atomctl(['sign', 'rehearsed2.wpk.yaml'])).code).to.equal(0)
    expect((await run('ann', 'rehearsed2', ...target('rehearsed'), '--wait')).code).to.equal(5)
    expect([done('rehearsed'), done('another')]).to.deep.equal([false, false])
    const ran = await run('ann', ...wanted)
    expect(ran.code, ran.stderr).to.equal(0)
  })

  describe('approvals', () => {
    it('take as many different people as the quorum says, and not who asked; the record tells who did what', async () => {
      await services.rule('approvals: {quorum: 2}\n')
      const started = await run('dora', 'guarded', ...target('quorum'))
      expect(started.code, started.stderr).to.equal(8)
      const id = idIn(started)
      const approve = (person: string, reason: string): Promise<RunResult> =>
        services.as(person, 'approve', id, '--reason', reason)
      expect((await approve('dora', 'mine')).code).to.equal(5)
      expect((await approve('ann', 'no approver')).code).to.equal(5)
      expect((await approve('carl', 'read it')).code).to.equal(0)
      expect((await approve('carl', 'again')).code).to.equal(7)
      expect(done('quorum')).to.equal(false)
      expect((await approve('ben', 'read it too')).code).to.equal(0)
      expect((await services.as('ann', 'status', id, '--watch')).code).to.equal(0)
      expect(done('quorum')).to.equal(true)
      expect(await trail(id)).to.deep.equal([
        ['dora', 'admin', 'requested', null],
        ['carl', 'approver', 'approved', 'read it'],
        ['ben', 'approver', 'approved', 'read it too'],
      ])
    })

    it('that nobody gives in time end a waiting run with 22', async () => {
      await services.rule('approvals: {expiry: "1s"}\n')
      const waited = await finished(
        sandbox.spawn(['run', 'guarded.wpk.yaml', ...target('late'), '--wait'], {env: services.env('ann')}),
      )
      expect(waited.code, waited.stderr).to.equal(22)
      expect(waited.stderr).to.contain('Nobody approved it before')
      expect((await services.as('ben', 'approve', idIn(waited))).code).to.equal(7)
      expect((await trail(idIn(waited))).map(([, , action]) => action)).to.deep.equal(['requested', 'expired'])
      expect(done('late')).to.equal(false)
    })

    it('hold for the parameters that were approved, and for no others', async () => {
      const first = idIn(await run('ann', 'guarded', ...target('these')))
      expect((await services.as('ben', 'approve', first)).code).to.equal(0)
      expect((await services.as('ann', 'status', first, '--watch')).code).to.equal(0)
      expect((await run('ann', 'guarded', ...target('those'))).code).to.equal(8)
      expect((await run('ann', 'guarded', ...target('these'))).code).to.equal(8)
      expect([done('these'), done('those')]).to.deep.equal([true, false])
    })

    it('are asked for in mode auto from the threshold of the risk score on', async () => {
      const calm = await run('ann', 'calm', ...target('calm'), '--wait')
      expect(calm.code, calm.stderr).to.equal(0)
      const risky = await run('ann', 'risky')
      expect(risky.code).to.equal(8)
      expect((await services.as('ann', 'status', idIn(risky))).stdout).to.contain('Risk score')
      expect((await services.as('carl', 'reject', idIn(risky), '--reason', 'not by itself')).code).to.equal(0)
      expect((await services.as('ann', 'status', idIn(risky), '--watch')).code).to.equal(22)
    })
  })

  async function trail(id: string): Promise<unknown[][]> {
    const {stdout} = await services.as('ann', 'status', id, '-o', 'json')
    const {data} = JSON.parse(stdout) as {data: {audit: Record<string, unknown>[]}}
    return data.audit.map(({actor, role, action, reason}) => [actor, role, action, reason])
  }
})

const ACT = '    - {name: act, type: shell, config: {command: \'echo done > "$TARGET"\'}, timeout: 30s}'
const CURL = (name: string): string =>
  `    - {name: ${name}, type: shell, config: {command: 'curl https://example.com/status'}, timeout: 30s}`
const WEB = 'resource_type: deployment, resource_name: web, namespace: staging'
const CONFIG = (name: string): string =>
  `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: staging}}`
const k8s = (config: string): string =>
  `  handlers:\n    - {name: act, type: k8s, config: {${config}}, timeout: 60s, retry: {max_attempts: 3}}`

/** What follows `spec.runtime` of each package. */
const PACKAGES: Readonly<Record<string, string>> = {
  act: `  handlers:\n${ACT}`,
  guarded: `  safety: {mode: manual, approval_required: true}\n  handlers:\n${ACT}`,
  rehearsed: `  safety: {mode: manual, dry_run_required: true}\n  handlers:\n${ACT}`,
  calm: `  safety: {mode: auto}\n  handlers:\n${ACT}`,
  risky: `  safety: {mode: auto}\n  handlers:\n${CURL('one')}\n${CURL('two')}`,
  scale: k8s(`action: scale, replicas: 4, ${WEB}`),
  patch: k8s(`action: patch, patch: {spec: {replicas: 70}}, ${WEB}`),
  restart: k8s(`action: restart, ${WEB}`),
  apply: k8s(`action: apply, namespace: staging, manifest: [${CONFIG('a')}, ${CONFIG('b')}]`),
  undone: `  handlers:
${ACT}
    - {name: restart, type: k8s, config: {action: restart, ${WEB}}, timeout: 60s}
  rollback:
    enabled: true
    handlers:
      - {name: undo, type: shell, undoes: act, config: {command: 'rm "$TARGET"'}, timeout: 30s}`,
}

function packageOf(name: string, spec: string, description = 'A test'): string {
  const safety = spec.includes('safety:') ? '' : '  safety: {mode: manual}\n'
  return `apiVersion: v1
kind: WorkflowPackage
metadata: {name: ${name}, version: "1.0.0", description: ${description}, author: The tests}
spec:
  runtime: {type: shell}
${safety}${spec}
`
}
