import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {api, shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

const VECTORS =
  process.env['ATOMCTL_VECTORS'] ?? fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url))

describe('a dry run', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
  })
  after(() => service.stop())

  it('says what would run and runs nothing', async () => {
    const trace = service.path('dry-trace')
    const execution = await service.run(
      {
        handlers: [
          shell('write', `touch "${trace}"`, {config: {cwd: '/srv', env: {EXTRA: 'x'}}}),
          api('call', {
            url: 'http://127.0.0.1:9/items/${NAME}',
            method: 'POST',
            headers: {authorization: 'Bearer ${TOKEN}'},
            payload: {name: '${NAME}'},
          }),
        ],
      },
      {dry_run: true, parameters: {name: 'a b', token: 'very-secret'}},
    )
    expect(execution).to.include({status: 'completed', dry_run: true, steps_completed: 2})
    expect(existsSync(trace)).to.equal(false)
    const text = execution.logs?.join('\n') ?? ''
    expect(text).to.contain(`Handler write: would run with /bin/sh: touch "${trace}"`)
    expect(text).to.contain('NAME, TOKEN, EXTRA').and.to.contain('/srv')
    expect(text).to.contain('Handler call: would send POST http://127.0.0.1:9/items/a%20b')
    expect(text).to.contain('authorization: ***').and.to.not.contain('very-secret')
    expect(text).to.contain('Handler write: success').and.to.contain('Handler call: success')
  })

  it('says UNKNOWN for handlers that this runtime does not have', async () => {
    const k8s = {name: 'look', type: 'k8s', config: {action: 'logs', resource_name: 'web'}}
    const execution = await service.run({handlers: [k8s, shell('after', 'true')]}, {dry_run: true})
    expect(execution.status).to.equal('completed')
    expect(execution.logs?.[0]).to.match(/^Handler look: UNKNOWN.*k8s/)
    expect(execution.logs).to.include('Handler look: unknown')
  })

  it('says UNKNOWN for what depends on the output of an earlier handler', async () => {
    const execution = await service.run(
      {handlers: [shell('find', 'echo host=x > "$ATOM_OUTPUT"'), api('call', {url: 'http://127.0.0.1/${HOST}'})]},
      {dry_run: true},
    )
    expect(execution.logs?.join('\n')).to.contain('<unknown until it runs>')
    expect(execution.logs).to.include('Handler call: unknown')
  })

  it('shows the rollback that a failure would start', async () => {
    const execution = await service.run(
      {
        handlers: [shell('make', 'true')],
        rollback: {enabled: true, handlers: [shell('undo', 'rm made', {undoes: 'make'})]},
        safety: {rollback_enabled: true},
      },
      {dry_run: true},
    )
    expect(execution.logs?.join('\n')).to.contain('Rollback undo: would run with /bin/sh: rm made')
    expect(execution.status).to.equal('completed')
  })

  it('says UNKNOWN for a placeholder that has no value', async () => {
    const execution = await service.run({handlers: [api('call', {url: '${WEBHOOK_URL}'})]}, {dry_run: true})
    expect(execution).to.include({status: 'completed'})
    expect(execution.logs).to.include('Handler call: unknown')
  })

  for (const name of ['restart-unhealthy', 'scale-on-latency', 'rotate-secret', 'backup-verify', 'requeue-job'])
    it(`of the well-known playbook ${name} completes, pretending nothing`, async function () {
      const file = join(VECTORS, 'wpk', `${name}.wpk.yaml`)
      if (!existsSync(file)) {
        console.log(`      ${file} is not here: set ATOMCTL_VECTORS`)
        return this.skip()
      }
      const {value} = await service.trust.signYaml(readFileSync(file, 'utf8'))
      const real = await service.submitContent(value)
      expect([real.status, real.body.code]).to.deep.equal([501, 'NOT_SUPPORTED'])
      const {body} = await service.submitContent(value, {dry_run: true})
      const execution = await service.ended(body.execution_id)
      expect(execution.status).to.equal('completed')
      expect(
        execution.logs?.some((line) => line.includes('UNKNOWN: this runtime has no handler for type k8s')),
      ).to.equal(true)
    })
})
