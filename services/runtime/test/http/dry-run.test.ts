import {existsSync} from 'node:fs'
import {expect} from 'chai'
import {api, shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

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
    const k8s = {name: 'restart', type: 'k8s', config: {action: 'restart', resource_name: 'web'}}
    const execution = await service.run({handlers: [k8s, shell('after', 'true')]}, {dry_run: true})
    expect(execution.status).to.equal('completed')
    expect(execution.logs?.[0]).to.match(/^Handler restart: UNKNOWN.*k8s/)
    expect(execution.logs).to.include('Handler restart: unknown')
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
})
