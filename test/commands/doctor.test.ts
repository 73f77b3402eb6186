import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {refusedUrl, startAtomDouble, type AtomDouble} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'

interface Check {
  check: string
  status: string
  message: string
  fix?: string
}

describe('doctor', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let services: AtomDouble
  before(async () => {
    services = await startAtomDouble()
  })
  after(() => services.close())
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const doctor = (env: Record<string, string> = {}, ...args: string[]): Promise<RunResult> =>
    sandbox.atomctl(['doctor', ...args], {
      env: {ATOMCTL_REGISTRY_URL: services.registryUrl, ATOMCTL_RUNTIME_URL: services.runtimeUrl, ...env},
    })
  const checks = async (env: Record<string, string> = {}): Promise<Check[]> =>
    (JSON.parse((await doctor(env, '--json')).stdout) as {data: Check[]}).data

  it('exits 0 when nothing is broken, and says what each service is', async () => {
    await trustOwnKey(sandbox)
    const {code, stdout, stderr} = await doctor()
    expect(code, stdout).to.equal(0)
    expect(stderr).to.equal('')
    expect(stdout)
      .to.match(/^ok {4}registry: healthy, /m)
      .and.to.match(/^ok {4}signing key: /m)
    expect(stdout).to.match(/^\[SUCCESS\] Nothing is broken/m)
  })

  it('exits 9 when only services do not answer, and says how to get one', async () => {
    const url = await refusedUrl()
    const {code, stdout} = await doctor({ATOMCTL_REGISTRY_URL: url, ATOMCTL_RUNTIME_URL: url})
    expect(code).to.equal(9)
    expect(stdout).to.match(/^fail {2}registry: .+\n {6}fix: atomctl dev up/m)
    expect(stdout).to.match(/^fail {2}runtime: /m)
  })

  it('exits 1 when something has to be put right, and names every such thing with its fix', async () => {
    await mkdir(sandbox.path('.atomctl'))
    await writeFile(sandbox.path('.atomctl/trust-policy.yaml'), 'keys: [')
    await writeFile(sandbox.path('cosign.key'), 'no key')
    const found = (await checks()).filter(({status}) => status === 'fail')
    expect(found.map(({check}) => check)).to.have.members(['signing key', 'trust policy'])
    for (const {fix} of found) expect(fix).to.be.a('string').and.not.equal('')
    const {code, stdout} = await doctor({}, '--json')
    expect(code).to.equal(1)
    expect(JSON.parse(stdout)).to.have.nested.property('error.code', 'CHECK_FAILED')
  })

  it('works with a broken configuration, and says where it is broken', async () => {
    await mkdir(sandbox.path('.atomctl'))
    await writeFile(sandbox.path('.atomctl/config.yaml'), 'registry_url: [')
    const {code, stdout} = await doctor()
    expect(code).to.equal(1)
    expect(stdout).to.match(/^fail {2}configuration: .*config\.yaml:\d+:\d+/m)
    expect(stdout).to.match(/^ok {4}node: /m)
  })

  it('warns of files others can read, and of a token in a project file', async function () {
    if (process.platform === 'win32') this.skip() // there are no such modes
    await trustOwnKey(sandbox)
    await sandbox.atomctl(['config', '--auth-token', 'abc'])
    await chmod(sandbox.path('.atomctl/config.yaml'), 0o644)
    await chmod(sandbox.path('cosign.key'), 0o640)
    await writeFile(sandbox.path('.atomctl.yaml'), 'auth_token: abc\n')
    const warned = (await checks()).filter(({status}) => status === 'warn').map(({fix}) => fix)
    expect(warned)
      .to.include(`chmod 600 ${sandbox.path('.atomctl/config.yaml')}`)
      .and.to.include('chmod 600 cosign.key')
    expect(warned.join()).to.contain('project file')
  })

  it('warns of a token sent unencrypted to another machine', async () => {
    const found = await checks({
      ATOMCTL_REGISTRY_URL: 'http://192.0.2.1:1',
      ATOMCTL_AUTH_TOKEN: 'abc',
      ATOMCTL_CONNECT_TIMEOUT: '100ms',
      ATOMCTL_RETRY_ATTEMPTS: '1',
    })
    const warning = found.find(({check}) => check === 'registry_url')
    expect(warning).to.include({status: 'warn', fix: 'atomctl config set registry_url https://192.0.2.1:1'})
  })

  it('says that a context in force is not there', async () => {
    const found = await checks({ATOMCTL_CONTEXT: 'nowhere'})
    expect(found.find(({check}) => check === 'context')).to.include({status: 'fail', fix: 'atomctl context list'})
  })
})
