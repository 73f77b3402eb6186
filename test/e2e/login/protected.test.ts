import {readFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../../support/packages.ts'
import {type DevServices, startServices, stopServices} from '../../support/services.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

/** Every command that changes something there, with arguments that would do it. */
const COMMANDS: readonly (readonly string[])[] = [
  ['push', 'second.wpk.yaml'],
  ['delete', 'hello-1.0.0'],
  ['run', 'hello-1.0.0'],
  ['run', 'hello.wpk.yaml'],
  ['cancel', NOBODY],
  ['approve', NOBODY],
  ['reject', NOBODY, '--reason', 'because'],
  ['rollback', NOBODY],
  ['retry', NOBODY],
  ['batch', 'push', 'second.wpk.yaml'],
  ['batch', 'run', 'hello.wpk.yaml'],
]

describe('a protected context', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let services: DevServices
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    for (const name of ['hello', 'second']) await writeSignedPackage(sandbox, {name})
    services = await startServices(sandbox)
    await sandbox.atomctl(['push', 'hello.wpk.yaml'])
    const {registryUrl, runtimeUrl} = services
    const urls = ['--registry-url', registryUrl, '--runtime-url', runtimeUrl]
    const settings = await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8')
    const token = String(/auth_token: "?([^"\s]+)/.exec(settings)?.[1])
    const create = ['context', 'create', 'prod', '--protected', '--use', '--auth-token', '-', ...urls]
    await sandbox.atomctl(create, {input: token})
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const state = async (): Promise<string> => {
    const [workflows, executions] = await Promise.all([
      sandbox.atomctl(['list', '-q']),
      sandbox.atomctl(['executions', '-q']),
    ])
    return workflows.stdout + executions.stdout
  }

  for (const words of COMMANDS) {
    it(`wants its name before ${words.slice(0, 2).join(' ')}`, async () => {
      const before = await state()
      for (const confirmed of [[], ['--confirm', 'dev']]) {
        const {code, stderr} = await sandbox.atomctl([...words, ...confirmed])
        expect(code, stderr).to.equal(2)
        expect(stderr).to.contain('the context prod is protected').and.contain('--confirm prod')
      }
      expect(await state()).to.equal(before)
    })
  }

  it('does what it is told when the name is given', async () => {
    const {code, stderr} = await sandbox.atomctl(['push', 'second.wpk.yaml', '--confirm', 'prod'])
    expect(code, stderr).to.equal(0)
    expect(await state()).to.contain('second-1.0.0')
  })
})
