import {readdir} from 'node:fs/promises'
import {type AtomDouble, hang, startAtomDouble, startFaultServer} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {type AtomctlProcess, createSandbox, finished, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'

describe('Ctrl-C and SIGTERM', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let services: AtomDouble

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeSignedPackage(sandbox)
  })
  beforeEach(async () => {
    // slow steps: the execution is still running when the signal comes
    services = await startAtomDouble({stepTime: 20_000})
  })
  afterEach(() => services.close())
  after(() => sandbox[Symbol.asyncDispose]())

  const environment = () => ({ATOMCTL_REGISTRY_URL: services.registryUrl, ATOMCTL_RUNTIME_URL: services.runtimeUrl})

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`${signal} while waiting detaches: the execution goes on and the command says how to reattach`, async () => {
      const child = sandbox.spawn(['run', 'hello.wpk.yaml', '--wait'], {env: environment()})
      const ended = finished(child)
      await printed(child, 'Execution ID: ')
      child.kill(signal)
      const {code, stdout, stderr} = await ended
      const id = /Execution ID: (\S+)/.exec(stdout)?.[1]
      expect(code).to.equal(expected)
      expect(stderr).to.contain(`${id} goes on`).and.to.contain(`atomctl status ${id} --watch`)
      const status = await sandbox.atomctl(['status', id ?? ''], {env: environment()})
      expect(status.stdout).to.contain('Status: running')
    })
  }

  it('SIGINT while a server hangs ends the command at once, leaving nothing', async () => {
    const server = await startFaultServer(hang)
    try {
      const child = sandbox.spawn(['pull', 'hello-1.0.0'], {env: {ATOMCTL_REGISTRY_URL: server.url}})
      const ended = finished(child)
      await server.received(1)
      child.kill('SIGINT')
      const {code, stdout, stderr} = await ended
      expect({code, stdout}).to.deep.equal({code: 130, stdout: ''})
      expect(stderr).to.contain('[ERROR] Interrupted')
      expect((await readdir(sandbox.home)).filter((name) => name.includes('pull'))).to.deep.equal([])
    } finally {
      await server.close()
    }
  })

  it('a wait that runs out exits 124 and leaves the execution alone', async () => {
    const args = ['run', 'hello.wpk.yaml', '--wait', '--timeout', '200ms', '--json']
    const {code, stdout} = await sandbox.atomctl(args, {env: environment()})
    expect(code).to.equal(124)
    const {error} = JSON.parse(stdout) as {error: {code: string; details: {execution_id: string}}}
    expect(error.code).to.equal('WAIT_TIMEOUT')
    const status = await sandbox.atomctl(['status', error.details.execution_id], {env: environment()})
    expect(status.stdout).to.contain('Status: running')
  })

  it('a reader that goes away does not make the command fail', async () => {
    const child = sandbox.spawn(['--help'])
    const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve))
    child.stdout.destroy()
    expect(await ended).to.equal(0)
  })
})

/** Resolves once the process has printed this. */
function printed(child: AtomctlProcess, text: string): Promise<void> {
  let seen = ''
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`ended without printing ${text}: ${seen}`)))
    child.stdout.on('data', (chunk: string | Buffer) => {
      seen += String(chunk)
      if (seen.includes(text)) resolve()
    })
  })
}
