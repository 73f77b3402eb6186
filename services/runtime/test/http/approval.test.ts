import {createHash} from 'node:crypto'
import {existsSync} from 'node:fs'
import {expect} from 'chai'
import type {SafetyRules} from '../../src/index.ts'
import {shell, type PackageShape} from '../support/packages.ts'
import {TestService, type Answer} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

const ROLES = {ann: 'operator', ben: 'approver', cas: 'approver', dora: 'admin', eve: 'reader'} as const
type Person = keyof typeof ROLES

describe('an execution that has to be approved', () => {
  let service: TestService
  let rules: SafetyRules
  before(async function () {
    this.timeout(STARTUP_MS)
    const digests = Object.entries(ROLES).map(([name, role]) => ({name, role, digest: sha256(`token-${name}`)}))
    service = await TestService.start({tokens: {digests}, anonymousReads: true, safety: () => rules})
  })
  after(() => service.stop())
  beforeEach(() => (rules = {}))

  const as = (person: Person): Record<string, string> => ({authorization: `Bearer token-${person}`})
  const guarded = (file: string): PackageShape => ({
    handlers: [shell('act', `echo "$WHO" >> "${service.path(file)}"`)],
    safety: {approval_required: true},
  })
  const begin = async (person: Person, file: string, parameters: object = {who: 'x'}): Promise<string> => {
    const answer = await service.submit(guarded(file), {parameters}, as(person))
    expect([answer.status, answer.body.status, answer.body.approval?.state]).to.deep.equal([200, 'pending', 'waiting'])
    return answer.body.execution_id
  }
  const decide = (id: string, verb: string, person: Person, body: object = {}): Promise<Answer> =>
    service.request(`/execute/${id}/${verb}`, {body, headers: as(person)})

  it('waits as pending, with all that an approver has to see, and runs once somebody else approved', async () => {
    const id = await begin('ann', 'approved')
    const waiting = await service.execution(id)
    expect(waiting).to.include({status: 'pending', requested_by: 'ann'})
    expect(waiting.approval).to.include({state: 'waiting', required_by: 'package', quorum: 1})
    expect(waiting.approval?.document_digest).to.equal(waiting.document_digest)
    expect(waiting.approval?.parameters_digest).to.equal(waiting.parameters_digest)
    expect(existsSync(service.path('approved'))).to.equal(false)
    const answer = await decide(id, 'approve', 'ben', {reason: 'looks right'})
    expect([answer.status, answer.body.approval.state]).to.deep.equal([200, 'approved'])
    const ended = await service.ended(id)
    expect(ended.status).to.equal('completed')
    expect(ended.logs?.[0]).to.equal('Approved by ben: looks right')
    expect(ended.audit?.map(({actor, role, action, reason}) => [actor, role, action, reason])).to.deep.equal([
      ['ann', 'operator', 'requested', null],
      ['ben', 'approver', 'approved', 'looks right'],
    ])
  })

  it('is final as rejected when somebody rejects it, with the reason, and nothing runs', async () => {
    const id = await begin('ann', 'rejected')
    expect((await decide(id, 'reject', 'ben')).status).to.equal(422)
    const answer = await decide(id, 'reject', 'ben', {reason: 'not on a Friday'})
    expect([answer.status, answer.body.status]).to.deep.equal([200, 'rejected'])
    const ended = await service.ended(id)
    expect(ended).to.include({status: 'rejected', error_message: 'Rejected by ben: not on a Friday'})
    expect(ended.steps?.map(({status}) => status)).to.deep.equal(['skipped'])
    expect((await decide(id, 'approve', 'cas')).status).to.equal(409)
    expect(existsSync(service.path('rejected'))).to.equal(false)
  })

  it('is not approved by who asked for it', async () => {
    const id = await begin('dora', 'self')
    const answer = await decide(id, 'approve', 'dora')
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'DENIED'])
    expect((await service.execution(id)).status).to.equal('pending')
  })

  for (const person of ['ann', 'eve'] as const)
    it(`is not approved or rejected with the role ${ROLES[person]}`, async () => {
      const id = await begin('dora', `role-${person}`)
      for (const verb of ['approve', 'reject'])
        expect((await decide(id, verb, person, {reason: 'x'})).body.code).to.equal('DENIED')
    })

  it('is not started by an approver, who may only decide', async () => {
    expect((await service.submit(guarded('never'), {}, as('ben'))).status).to.equal(403)
  })

  it('waits for as many different people as the quorum says', async () => {
    rules = {quorum: 2}
    const id = await begin('ann', 'quorum')
    expect((await decide(id, 'approve', 'ben')).body.approval.state).to.equal('waiting')
    const again = await decide(id, 'approve', 'ben')
    expect([again.status, again.body.code]).to.deep.equal([409, 'CONFLICT'])
    expect(existsSync(service.path('quorum'))).to.equal(false)
    expect((await decide(id, 'approve', 'cas')).body.approval.state).to.equal('approved')
    expect((await service.ended(id)).status).to.equal('completed')
  })

  it('counts two approvals that arrive at once as two, and one person who asks twice as one', async () => {
    rules = {quorum: 2}
    const id = await begin('ann', 'race')
    const answers = await Promise.all((['ben', 'ben', 'cas'] as const).map((person) => decide(id, 'approve', person)))
    expect(answers.map(({status}) => status)).to.have.members([200, 200, 409])
    expect((await service.ended(id)).approval?.approvals.map(({by}) => by).toSorted()).to.deep.equal(['ben', 'cas'])
  })

  for (const name of ['document_digest', 'parameters_digest'])
    it(`is not approved by somebody who looked at another ${name}`, async () => {
      const id = await begin('ann', `bound-${name}`)
      const answer = await decide(id, 'approve', 'ben', {[name]: `sha256:${'0'.repeat(64)}`})
      expect([answer.status, answer.body.code]).to.deep.equal([409, 'CONFLICT'])
    })

  it('does not run when the stored parameters are no longer those that were approved', async () => {
    const id = await begin('ann', 'changed')
    const set = `update runtime_executions set parameters = '{"who":"mallory"}' where id = $1`
    await service.storage.pool.query(set, [id])
    await decide(id, 'approve', 'ben')
    const ended = await service.ended(id)
    expect(ended.status).to.equal('failed')
    expect(ended.error_message).to.contain('not those that were approved')
    expect(existsSync(service.path('changed'))).to.equal(false)
  })

  it('needs a new approval for other parameters', async () => {
    const id = await begin('ann', 'again', {who: 'a'})
    await decide(id, 'approve', 'ben')
    await service.ended(id)
    const other = await begin('ann', 'again', {who: 'b'})
    expect((await service.execution(other)).status).to.equal('pending')
  })

  it('ends as rejected when nobody approves it in time', async () => {
    rules = {approvalExpiryMs: 300}
    const ended = await service.ended(await begin('ann', 'late'))
    expect(ended.status).to.equal('rejected')
    expect(ended.error_message).to.contain('Nobody approved it before')
    expect(ended.approval?.state).to.equal('expired')
    expect(ended.audit?.at(-1)).to.include({actor: 'runtime', action: 'expired'})
    expect((await decide(ended.execution_id, 'approve', 'ben')).status).to.equal(409)
  })

  it('can be cancelled while it waits, and not be approved any more', async () => {
    const id = await begin('ann', 'cancelled')
    await service.request(`/execute/${id}/cancel`, {method: 'POST', headers: as('ann')})
    const ended = await service.ended(id)
    expect(ended.status).to.equal('cancelled')
    expect(ended.audit?.at(-1)).to.include({actor: 'ann', action: 'cancelled'})
    expect((await decide(id, 'approve', 'ben')).status).to.equal(409)
  })

  it('takes no turn from others while it waits', async () => {
    for (let i = 0; i < 20; i += 1) await begin('ann', 'crowd')
    const answer = await service.submit({handlers: [shell('a', 'true')]}, {}, as('ann'))
    expect((await service.ended(answer.body.execution_id)).status).to.equal('completed')
  })

  it('is one that the policy finds too risky to run by itself in auto mode', async () => {
    const call = (name: string): object => shell(name, 'curl https://example.com/status', {when: 'go == 1'})
    const shape = {handlers: [call('a'), call('b')], safety: {mode: 'auto'}}
    const answer = await service.submit(shape, {parameters: {go: 0}}, as('ann'))
    expect(answer.body.approval).to.include({state: 'waiting', required_by: 'policy'})
    expect(answer.body.approval.reason).to.match(/^Risk score \d+ /)
    await decide(answer.body.execution_id, 'approve', 'ben')
    expect((await service.ended(answer.body.execution_id)).status).to.equal('completed')
  })

  it('is not a dry run, which does nothing', async () => {
    const {body} = await service.submit(guarded('dry'), {dry_run: true}, as('ann'))
    expect((await service.ended(body.execution_id)).status).to.equal('completed')
  })

  it('is the same one for the same Idempotency-Key', async () => {
    const headers = {...as('ann'), 'idempotency-key': 'guarded-1'}
    const content = await service.trust.sign(guarded('key'))
    const [first, second] = [
      await service.submitContent(content, {}, headers),
      await service.submitContent(content, {}, headers),
    ]
    expect(second.body).to.deep.equal(first.body)
    expect(second.body.status).to.equal('pending')
  })

  for (const [path, done] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const)
    it(`cannot be ${done} under an id that nobody knows, nor when nobody has to approve`, async () => {
      expect((await decide('nope', path, 'ben', {reason: 'x'})).status).to.equal(404)
      const {body} = await service.submit({handlers: [shell('a', 'true')]}, {}, as('ann'))
      const answer = await decide(body.execution_id, path, 'ben', {reason: 'x'})
      expect([answer.status, answer.body.code]).to.deep.equal([409, 'CONFLICT'])
    })

  it('is announced', async () => {
    expect((await service.request('/.well-known/atom')).body.capabilities).to.include.members(['approvals', 'audit'])
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
