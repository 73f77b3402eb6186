import {existsSync, readFileSync} from 'node:fs'
import {readFile, rename, writeFile} from 'node:fs/promises'
import {loadDocument} from '@atomctl/wpk/document'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'
import {serveFor, type SharedServices} from '../support/people.ts'

const PEOPLE = {ann: 'operator', ben: 'approver', carl: 'approver', dora: 'admin', eve: 'reader'} as const
const HOUR = 3_600_000
const POLICY = '.atomctl/trust-policy.yaml'

// Every way in which somebody might get an execution past its approval: the commands, and the runtime's API without them.
describe('an approval', function () {
  this.timeout(240_000)
  let sandbox: Sandbox
  let services: SharedServices

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    services = await serveFor(sandbox, PEOPLE)
    await sign('guarded', 'done')
  })
  after(async () => {
    await services?.[Symbol.asyncDispose]()
    await sandbox?.[Symbol.asyncDispose]()
  })
  beforeEach(() => services.rule('{}'))

  async function sign(file: string, says: string): Promise<void> {
    await writeFile(sandbox.path(`${file}.wpk.yaml`), packageOf(says))
    const {code, stderr} = await sandbox.atomctl(['sign', `${file}.wpk.yaml`])
    expect(code, stderr).to.equal(0)
  }
  const as = (person: string, ...args: string[]): Promise<RunResult> => services.as(person, ...args)
  const target = (file: string): string[] => ['-p', `target=${sandbox.path(file)}`]
  const effects = (file: string): string[] =>
    existsSync(sandbox.path(file)) ? readFileSync(sandbox.path(file), 'utf8').trim().split('\n') : []
  const idIn = ({stdout}: RunResult): string => /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''

  async function begin(file: string, person = 'ann'): Promise<string> {
    const started = await as(person, 'run', 'guarded.wpk.yaml', ...target(file))
    expect(started.code, started.stderr).to.equal(8)
    return idIn(started)
  }
  // oxlint-disable-next-line typescript/no-explicit-any
  async function look(id: string): Promise<any> {
    return (await services.ask('eve', `/execute/${id}`)).json()
  }
  async function finish(id: string): Promise<void> {
    expect((await as('ben', 'approve', id)).code).to.equal(0)
    const ended = await as('ann', 'status', id, '--watch')
    expect(ended.code, ended.stderr).to.equal(0)
  }

  it('is for the document that waits, whatever the registry has under its name by then', async () => {
    expect((await as('dora', 'push', 'guarded.wpk.yaml')).code).to.equal(0)
    const started = await as('ann', 'run', 'guarded-1.0.0', ...target('pushed'))
    expect(started.code, started.stderr).to.equal(8)
    const id = idIn(started)
    await sign('swapped', 'something else')
    expect((await as('dora', 'push', 'swapped.wpk.yaml')).code, 'other bytes under one version').to.equal(7)
    expect((await as('dora', 'delete', 'guarded-1.0.0', '--yes')).code).to.equal(0)
    expect((await as('dora', 'push', 'swapped.wpk.yaml')).code).to.equal(0)
    const other = await as('ann', 'run', 'guarded-1.0.0', ...target('pushed'))
    const {document_digest: swapped} = await look(idIn(other))
    const {document_digest: waiting} = await look(id)
    expect(swapped).to.not.equal(waiting)
    const answer = await services.ask('ben', `/execute/${id}/approve`, {body: {document_digest: swapped}})
    expect(answer.status).to.equal(409)
    await finish(id)
    expect(effects('pushed')).to.deep.equal(['done'])
    expect((await look(idIn(other))).status, 'one approval is for one execution').to.equal('pending')
  })

  it('is for the parameters that wait: no request makes an old one count for others, or twice', async () => {
    const wpk_content = await contentOf('guarded')
    const request = (file: string, more: object = {}): object => {
      return {workflow_id: 'guarded-1.0.0', wpk_content, parameters: {target: sandbox.path(file)}, ...more}
    }
    const ask = async (key: string | undefined, body: object): Promise<{status: number; id: string; state: string}> => {
      const {ATOMCTL_RUNTIME_URL: url, ATOMCTL_AUTH_TOKEN: token} = services.env('ann')
      const response = await fetch(new URL('/execute', url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(key === undefined ? {} : {'idempotency-key': key}),
        },
        body: JSON.stringify(body),
      })
      const answer = (await response.json()) as {execution_id: string; status: string}
      return {status: response.status, id: answer.execution_id, state: answer.status}
    }
    const first = await ask('key-1', request('these'))
    await finish(first.id)
    expect(await ask('key-1', request('these'))).to.deep.include({status: 200, id: first.id})
    expect((await ask('key-1', request('those'))).status).to.equal(409)
    const {approval} = await look(first.id)
    for (const [smuggled, status] of [
      [{approval}, 200],
      [{approval_state: 'approved', approvals: approval.approvals, requested_by: 'ben'}, 200],
      [{execution_id: first.id, id: first.id, retry_of: first.id}, 200],
      [{break_glass: null}, 200],
      [{break_glass: {reason: 'let me'}}, 403],
      [{break_glass: {}}, 422],
      [{dry_run: 'false'}, 422],
      [{parameters: {target: sandbox.path('those'), approval_required: false}}, 200],
    ] as const) {
      const answer = await ask(undefined, request('those', smuggled))
      expect(answer.status, JSON.stringify(smuggled)).to.equal(status)
      if (status === 200) expect([answer.state, answer.id === first.id]).to.deep.equal(['pending', false])
    }
    expect([effects('these'), effects('those')]).to.deep.equal([['done'], []])
  })

  it('of an execution that failed is none for its retry', async () => {
    const id = await begin('no/such/directory')
    expect((await as('ben', 'approve', id)).code).to.equal(0)
    expect((await as('ann', 'status', id, '--watch')).code).to.equal(20)
    const retried = await as('ann', 'retry', id, '--wait', '--timeout', '1s')
    expect(retried.code, retried.stderr).to.equal(124)
    expect((await look(idIn(retried))).approval).to.deep.include({state: 'waiting', approvals: []})
  })

  it('is given by those who may, for what they looked at, and in no other way', async () => {
    await services.rule('approvals: {quorum: 2}\n')
    const id = await begin('ways', 'dora')
    const digest = `sha256:${'0'.repeat(64)}`
    const ways: [person: string, path: string, body: object, status: number][] = [
      ['nobody', `/execute/${id}/approve`, {}, 401],
      ['eve', `/execute/${id}/approve`, {}, 403],
      ['ann', `/execute/${id}/approve`, {}, 403],
      ['ann', `/execute/${id}/approve`, {by: 'ben', actor: 'ben', role: 'approver'}, 403],
      ['dora', `/execute/${id}/approve`, {requested_by: 'ann'}, 403],
      ['ben', `/execute/${id}/approve`, {document_digest: digest}, 409],
      ['ben', `/execute/${id}/approve`, {parameters_digest: digest}, 409],
      ['ben', `/execute/${id}/approve`, {parameters_digest: ''}, 409],
      ['ben', `/execute/${id}/approve`, {document_digest: {}}, 422],
      ['ben', `/execute/${id.toUpperCase()}/approve`, {}, 404],
      ['ben', `/execute/${id}%00/approve`, {}, 404],
      ['ann', `/execute/${id}/retry`, {}, 409],
      ['ann', `/rollback/${id}`, {}, 400],
      ['ben', '/execute', {workflow_id: 'guarded-1.0.0', wpk_content: await contentOf('guarded')}, 403],
    ]
    for (const [person, path, body, status] of ways)
      expect((await services.ask(person, path, {body})).status, `${person} ${path}`).to.equal(status)
    // nobody is told what there is on a path that is none
    for (const path of [`/execute/${id}/approve/`, `/execute/${id}/approved`])
      expect((await services.ask('ben', path, {body: {}})).status, path).to.be.oneOf([403, 404])
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      for (const path of [`/execute/${id}`, `/execute/${id}/approve`])
        expect((await services.ask('dora', path, {method, body: {status: 'running'}})).status).to.be.oneOf([404, 405])
    expect((await look(id)).approval).to.deep.include({state: 'waiting', approvals: []})
    const lying = {by: 'carl', quorum: 1, state: 'approved', approvals: [{by: 'carl'}, {by: 'dora'}]}
    expect((await services.ask('ben', `/execute/${id}/approve`, {body: lying})).status).to.equal(200)
    const {approval, status} = await look(id)
    expect([status, approval.state, approval.quorum]).to.deep.equal(['pending', 'waiting', 2])
    expect(approval.approvals.map(({by}: {by: string}) => by)).to.deep.equal(['ben'])
    expect(effects('ways')).to.deep.equal([])
  })

  it('is counted once for each person, also by services that were killed in between', async () => {
    await services.rule('approvals: {quorum: 2}\n')
    const id = await begin('killed')
    expect((await as('ben', 'approve', id, '--reason', 'read')).code).to.equal(0)
    await services.stop('SIGKILL')
    await services.start()
    expect((await as('ben', 'approve', id)).code).to.equal(7)
    expect((await as('ann', 'approve', id)).code).to.equal(5)
    expect(effects('killed')).to.deep.equal([])
    expect((await as('carl', 'approve', id)).code).to.equal(0)
    expect((await as('ann', 'status', id, '--watch')).code).to.equal(0)
    for (const person of ['ben', 'carl', 'dora']) expect((await as(person, 'approve', id)).code).to.equal(7)
    expect(effects('killed')).to.deep.equal(['done'])
  })

  it('that comes too late is none, also when nobody was there to see the time pass', async () => {
    await services.rule('approvals: {expiry: "1s"}\n')
    const id = await begin('late')
    const expires = Date.parse((await look(id)).approval.expires_at)
    await services.stop('SIGKILL')
    await services.rule('{}')
    while (Date.now() <= expires) await new Promise((resolve) => setTimeout(resolve, 50))
    await services.start()
    const answer = await services.ask('ben', `/execute/${id}/approve`, {body: {}})
    expect(answer.status).to.equal(409)
    expect((await as('ben', 'approve', id)).code).to.equal(7)
    expect((await as('ann', 'status', id, '--watch')).code).to.equal(22)
    expect(effects('late')).to.deep.equal([])
  })

  it('starts nothing that may not run any more: frozen, beyond a limit, or by a signer who is not trusted now', async () => {
    const id = await begin('changed')
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString()
    const approve = (): Promise<RunResult> => as('ben', 'approve', id)
    await services.rule(`freeze: [{from: "${at(-HOUR)}", to: "${at(HOUR)}", reason: the sale of the year}]\n`)
    const frozen = await approve()
    expect(frozen.code).to.equal(5)
    expect(frozen.stderr).to.contain('the sale of the year')
    await services.rule('limits: [{handlers: [k8s]}]\n')
    expect((await approve()).code).to.equal(5)
    await services.rule('limits: [{handlers: many}]\n')
    expect((await approve()).code, 'rules that nobody can read').to.not.equal(0)
    await services.rule('{}')
    const policy = sandbox.path(POLICY)
    await rename(policy, `${policy}.old`)
    const untrusted = await approve()
    await rename(`${policy}.old`, policy)
    expect(untrusted.code, untrusted.stderr).to.equal(12)
    expect((await look(id)).approval).to.deep.include({state: 'waiting', approvals: []})
    expect(effects('changed')).to.deep.equal([])
    await finish(id)
    expect(effects('changed')).to.deep.equal(['done'])
  })

  async function contentOf(file: string): Promise<unknown> {
    return loadDocument(await readFile(sandbox.path(`${file}.wpk.yaml`)), `${file}.wpk.yaml`).value
  }
})

function packageOf(says: string): string {
  return `apiVersion: v1
kind: WorkflowPackage
metadata: {name: guarded, version: "1.0.0", description: A test, author: The tests, signature: ""}
spec:
  runtime: {type: shell}
  safety: {mode: manual, approval_required: true}
  handlers:
    - {name: act, type: shell, config: {command: 'echo ${says} >> "$TARGET"'}, timeout: 30s}
`
}
