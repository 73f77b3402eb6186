import {startFaultServer} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'

describe('a name that a service does not know', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await startServices(sandbox)
    for (const version of ['1.0.0', '1.1.0']) {
      const file = await writeSignedPackage(sandbox, {name: 'restart-unhealthy', version})
      expect((await sandbox.atomctl(['push', file])).code).to.equal(0)
    }
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const missing = async (...args: string[]): Promise<RunResult> => {
    const result = await sandbox.atomctl(args)
    expect(result.code, `${args.join(' ')}\n${result.stderr}`).to.equal(6)
    return result
  }

  for (const command of ['run', 'pull', 'inspect', 'verify', 'delete']) {
    it(`suggests the workflow that was meant, to ${command}`, async () => {
      const more = command === 'delete' ? ['--yes'] : []
      const {stderr} = await missing(command, 'restart-unhealty-1.0.0', ...more)
      expect(stderr).to.contain('hint: did you mean restart-unhealthy-1.0.0?')
      const newest = await missing(command, 'restart-unhealthy-2.0.0', ...more)
      expect(newest.stderr).to.contain('hint: did you mean restart-unhealthy-1.1.0?')
    })
  }

  it('suggests it to diff and in the envelope, and says no more than before where nothing is near', async () => {
    const {stdout} = await missing('diff', 'restart-unhealthy-1.0.0', 'restart-unhealhty-1.1.0', '--json')
    expect(JSON.parse(stdout)).to.have.nested.property('error.hint', 'did you mean restart-unhealthy-1.1.0?')
    expect((await missing('inspect', 'quite-another-1.0.0')).stderr).to.contain('hint: atomctl list')
  })

  it('suggests the execution whose ID was cut off, and what to do with a workflow in its place', async () => {
    const run = await sandbox.atomctl(['run', 'restart-unhealthy-1.0.0', '-o', 'name'])
    const id = run.stdout.trim()
    for (const command of ['status', 'logs', 'cancel', 'rollback', 'retry', 'approve']) {
      const {stderr} = await missing(command, id.slice(0, 8))
      expect(stderr, command).to.contain(`hint: did you mean ${id}?`)
    }
    const {stderr} = await missing('status', 'restart-unhealthy-1.0.0')
    expect(stderr).to.contain('atomctl executions --workflow restart-unhealthy-1.0.0')
  })

  it('is said all the same when the service does not tell what it knows, however it fails', async () => {
    const unknown = JSON.stringify({detail: 'Workflow not found'})
    const lists = {
      hangs: () => {},
      breaks: (response: {destroy(): void}) => response.destroy(),
      lies: (response: {end(text: string): void}) => response.end('{"workflows": 7}'),
    }
    for (const [name, list] of Object.entries(lists)) {
      const server = await startFaultServer(({url}, response) => {
        if (url.startsWith('/workflows?') || url === '/workflows') return list(response)
        response.writeHead(404, {'content-type': 'application/json'}).end(unknown)
      })
      const args = ['inspect', 'restart-unhealty-1.0.0', '--registry-url', server.url]
      const {code, stderr} = await sandbox.atomctl(args).finally(() => server.close())
      expect(code, name).to.equal(6)
      expect(stderr).to.contain('Workflow not found').and.not.to.contain('did you mean')
    }
  })

  it('costs no request where it is known', async () => {
    const {stderr} = await sandbox.atomctl(['inspect', 'restart-unhealthy-1.0.0', '--debug'])
    expect(stderr).to.match(/GET \S*\/workflows\/restart-unhealthy-1\.0\.0 /)
    expect(stderr).not.to.match(/GET \S*\/workflows(\?|\s)/)
  })

  it('of a context or a template gets a suggestion as well', async () => {
    await sandbox.atomctl(['context', 'create', 'production', '--registry-url', 'http://127.0.0.1:9'])
    for (const args of [
      ['list', '--context', 'prodution'],
      ['context', 'use', 'prodution'],
    ])
      expect((await sandbox.atomctl(args)).stderr, args.join(' ')).to.contain('did you mean production?')
    const init = await sandbox.atomctl(['init', 'new', '--template', 'rotate-secre'])
    expect(init.stderr).to.contain('did you mean rotate-secret?')
  })
})
