import {readFile, writeFile} from 'node:fs/promises'
import {startAtomDouble, type AtomDouble} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'

// The twenty behaviours that the tests of the Python CLI pinned, against the original services' double. Tests 4, 8, 9,
// 11, 12 and 16 pinned exit 0 on a failure: exactly those six exit differently here.
describe('the behaviours of the Python CLI', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let services: AtomDouble
  let signed: string

  before(async () => {
    services = await startAtomDouble()
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    signed = await writeSignedPackage(sandbox, {name: 'baseline'})
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    await services.close()
  })

  const atomctl = (...args: string[]): Promise<RunResult> =>
    sandbox.atomctl(args, {
      env: {
        ATOMCTL_REGISTRY_URL: services.registryUrl,
        ATOMCTL_RUNTIME_URL: services.runtimeUrl,
        ATOMCTL_AUTH_TOKEN: 'any-token',
      },
    })
  const push = async (): Promise<void> => {
    expect((await atomctl('push', signed)).code).to.equal(0)
  }

  it('1: there is a registry URL and a runtime URL from the start', async () => {
    await using fresh = await createSandbox()
    const {code, stdout} = await fresh.atomctl(['config', '--json'])
    expect(code).to.equal(0)
    expect(stdout).to.contain('http://localhost:8000').and.to.contain('http://localhost:4000')
  })

  it('2: a good file validates, with name and version in a summary', async () => {
    const {code, stdout} = await atomctl('validate', signed)
    expect(code).to.equal(0)
    expect(stdout).to.match(/^\[SUCCESS\] WPK validation passed$/m)
    expect(stdout).to.contain('Name: baseline').and.to.contain('Version: 1.0.0')
  })

  it('3: a path that does not exist fails', async () => {
    const {code, stderr} = await atomctl('validate', 'nowhere.wpk.yaml')
    expect(code).to.equal(2)
    expect(stderr).to.contain('nowhere.wpk.yaml does not exist')
  })

  it('4: a file without the required parts fails validation, and says which', async () => {
    await writeFile(sandbox.path('invalid.wpk.yaml'), 'apiVersion: v1\nkind: WorkflowPackage\n')
    const {code, stdout} = await atomctl('validate', 'invalid.wpk.yaml')
    expect(code).to.equal(3)
    expect(stdout).to.match(/^\[ERROR\] Validation failed:$/m)
    expect(stdout).to.contain('  - Missing required field: metadata')
  })

  it('5: packing with an output path writes the file', async () => {
    const {code, stdout} = await atomctl('pack', signed, '-o', sandbox.path('out.tar.gz'))
    expect(code).to.equal(0)
    expect(stdout).to.contain('Packed WPK')
    expect((await readFile(sandbox.path('out.tar.gz'))).subarray(0, 2)).to.deep.equal(Buffer.from([0x1f, 0x8b]))
  })

  it('6: packing with signing says so', async () => {
    const file = await writePackage(sandbox, {name: 'packed'})
    const {code, stdout} = await atomctl('pack', file, '--sign')
    expect(code).to.equal(0)
    expect(stdout).to.contain('[SUCCESS] Signed and packed: packed-1.0.0.wpk.tar.gz')
  })

  it('7: pushing a signed file prints the workflow id of the reply', async () => {
    const {code, stdout} = await atomctl('push', signed)
    expect(code).to.equal(0)
    expect(stdout).to.contain('[SUCCESS] WPK').and.to.contain('  Workflow ID: baseline-1.0.0')
  })

  it('8: pushing an unsigned file is refused', async () => {
    const file = await writePackage(sandbox, {name: 'unsigned'})
    const before = services.requests.length
    const {code, stderr} = await atomctl('push', file)
    expect(code).to.equal(10)
    expect(stderr).to.contain('WPK must be signed before pushing')
    expect(services.requests.length).to.equal(before)
  })

  it('9: a push that the server answers with 400 and a detail fails with both', async () => {
    const strict = await startAtomDouble({refusesSignatures: true})
    try {
      const {code, stderr} = await sandbox.atomctl(['push', signed], {
        env: {ATOMCTL_REGISTRY_URL: strict.registryUrl, ATOMCTL_AUTH_TOKEN: 'any-token'},
      })
      expect(code).to.equal(3)
      expect(stderr).to.contain('[ERROR] Push failed: 400\n  Error: Invalid cosign signature')
    } finally {
      await strict.close()
    }
  })

  it('10: running an id fetches it, posts it and prints the execution id', async () => {
    await push()
    const {code, stdout} = await atomctl('run', 'baseline-1.0.0')
    expect(code).to.equal(0)
    expect(stdout).to.match(/^\[SUCCESS\] Execution started\n {2}Execution ID: [0-9a-f-]{36}$/m)
    const posts = services.requests.filter(({method, url}) => method === 'POST' && url === '/execute')
    expect(posts).to.have.length(1)
  })

  it('11: running an unknown id fails with the status of the registry', async () => {
    const {code, stderr} = await atomctl('run', 'unknown-1.0.0')
    expect(code).to.equal(6)
    expect(stderr).to.contain('[ERROR] Failed to fetch workflow: 404')
  })

  it('12: parameters that are not JSON fail, after the fetch and before anything runs', async () => {
    await push()
    const before = services.requests.length
    const {code, stderr} = await atomctl('run', 'baseline-1.0.0', '--parameters', '{nonsense')
    expect(code).to.equal(2)
    expect(stderr).to.contain('Invalid parameters JSON')
    const since = services.requests.slice(before)
    expect(since.some(({url}) => url === '/workflows/baseline-1.0.0')).to.equal(true)
    expect(since.some(({url}) => url === '/execute')).to.equal(false)
  })

  it('13: a list shows every workflow with version and author', async () => {
    await push()
    const {code, stdout} = await atomctl('list')
    expect(code).to.equal(0)
    expect(stdout).to.contain('Found 1 workflows:')
    expect(stdout).to.contain('baseline v1.0.0').and.to.contain('   Author: The tests')
  })

  it('14: an empty registry says so', async () => {
    const empty = await startAtomDouble()
    try {
      const {code, stdout} = await sandbox.atomctl(['list'], {env: {ATOMCTL_REGISTRY_URL: empty.registryUrl}})
      expect(code).to.equal(0)
      expect(stdout).to.equal('No workflows found in registry\n')
    } finally {
      await empty.close()
    }
  })

  it('15: the status of an execution shows id, status and progress', async () => {
    await push()
    const id = (await atomctl('run', 'baseline-1.0.0', '-q')).stdout.trim()
    const {code, stdout} = await atomctl('status', id)
    expect(code).to.equal(0)
    expect(stdout).to.contain(`Execution Status: ${id}`)
    expect(stdout).to.match(/^ {2}Status: (running|completed)$/m)
    expect(stdout).to.match(/^ {2}Progress: [01]\/1$/m)
  })

  it('16: the status of an unknown execution fails with the status of the runtime', async () => {
    const {code, stderr} = await atomctl('status', '00000000-0000-4000-8000-000000000000')
    expect(code).to.equal(6)
    expect(stderr).to.contain('[ERROR] Failed to get status: 404')
  })

  it('17: both URLs and the token are set in one call, a line each, the token never shown', async () => {
    await using fresh = await createSandbox()
    const settings = [
      '--registry-url',
      'http://r.test',
      '--runtime-url',
      'http://e.test',
      '--auth-token',
      's3cr3t-value',
    ]
    const {code, stdout, stderr} = await fresh.atomctl(['config', ...settings])
    expect(code).to.equal(0)
    expect(stdout.match(/\[SUCCESS\]/g)).to.have.length(3)
    expect(stdout + stderr).not.to.contain('s3cr3t-value')
  })

  it('18: config without options shows a heading and both URLs', async () => {
    await using fresh = await createSandbox()
    const {code, stdout} = await fresh.atomctl(['config'])
    expect(code).to.equal(0)
    expect(stdout).to.contain('Current Configuration:')
    expect(stdout).to.contain('http://localhost:8000').and.to.contain('http://localhost:4000')
  })

  it('19: help names the program and its main commands', async () => {
    const {code, stdout} = await atomctl('--help')
    expect(code).to.equal(0)
    for (const command of ['pack', 'validate', 'push', 'run'])
      expect(stdout).to.match(new RegExp(`^ +${command} `, 'm'))
    expect(stdout).to.contain('workflow packages')
  })

  it('20: the version is printed', async () => {
    const {code, stdout} = await atomctl('--version')
    expect(code).to.equal(0)
    expect(stdout).to.contain('1.0.0')
  })
})
