import {generateKeyPairSync} from 'node:crypto'
import {chmod, mkdir, readFile, stat, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, filesOf, type Sandbox} from '../../support/atomctl.ts'
import {writePackage} from '../../support/packages.ts'

describe('keys', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const keys = (...args: string[]) => sandbox.atomctl(['keys', ...args])
  const read = (...parts: string[]): Promise<string> => readFile(sandbox.path(...parts), 'utf8')
  const modeOf = async (name: string): Promise<number> => (await stat(sandbox.path(name))).mode & 0o777

  it("generate writes cosign's two files, the private one only for its owner", async () => {
    const {code, stdout} = await keys('generate')
    expect(code).to.equal(0)
    expect(stdout)
      .to.match(/^\[SUCCESS\] Key pair generated$/m)
      .and.to.match(/^ {2}Fingerprint: SHA256:\S{43}$/m)
    expect(await read('cosign.key')).to.match(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
    expect(await read('cosign.pub')).to.match(/^-----BEGIN PUBLIC KEY-----\n/)
    if (process.platform !== 'win32') expect(await modeOf('cosign.key')).to.equal(0o600)
  })

  it('generate replaces nothing without --force, and asks for no password first', async () => {
    await writeFile(sandbox.path('half.pub'), 'mine')
    const {code, stderr} = await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'half'], {
      env: {COSIGN_PASSWORD: undefined as unknown as string},
    })
    expect(code).to.equal(7)
    expect(stderr).to.contain('half.pub exists already').and.to.contain('--force')
    expect(await filesOf(sandbox)).to.deep.equal(['half.pub'])
    expect((await keys('generate', '--output-key-prefix', 'half', '--force')).code).to.equal(0)
    expect(await read('half.pub')).to.contain('PUBLIC KEY')
  })

  it('generate leaves no half of a pair when the other cannot be written', async () => {
    await mkdir(sandbox.path('pair.pub'))
    const {code} = await keys('generate', '--output-key-prefix', 'pair', '--force')
    expect(code).to.equal(1)
    expect(await filesOf(sandbox)).to.deep.equal(['pair.pub'])
  })

  it('generate --trust makes the first run work without editing a file', async () => {
    expect((await keys('generate', '--trust')).stdout).to.match(/^ {2}Trusted: YES \(as cosign in /m)
    const file = await writePackage(sandbox)
    await sandbox.atomctl(['sign', file])
    expect((await sandbox.atomctl(['verify', file])).code).to.equal(0)
    expect(await read('.atomctl/keys/cosign.pub')).to.equal(await read('cosign.pub'))
  })

  it('--trust keeps the comments of the policy, other keys and other names', async () => {
    await keys('generate', '--trust')
    const path = sandbox.path('.atomctl/trust-policy.yaml')
    await writeFile(path, `# ours\n${await readFile(path, 'utf8')}`)
    await mkdir(sandbox.path('elsewhere'))
    expect((await keys('generate', '--trust', '--output-key-prefix', 'elsewhere/cosign')).code).to.equal(0)
    const policy = await readFile(path, 'utf8')
    expect(policy)
      .to.match(/^# ours/)
      .and.to.contain('cosign-2')
    for (const key of ['cosign.key', 'elsewhere/cosign.key']) {
      const file = await writePackage(sandbox)
      await sandbox.atomctl(['sign', file, '--key', key])
      expect((await sandbox.atomctl(['verify', file])).code, key).to.equal(0)
    }
    const before = await readFile(path, 'utf8')
    await keys('public', '--key', 'cosign.pub', '--trust')
    expect(await readFile(path, 'utf8'), 'a key that is trusted already').to.equal(before)
  })

  it('--trust leaves a broken policy alone and says where it is broken', async () => {
    await mkdir(sandbox.path('.atomctl'))
    await writeFile(sandbox.path('.atomctl/trust-policy.yaml'), 'keys: [')
    const {code, stderr} = await keys('generate', '--trust')
    expect(code).to.equal(2)
    expect(stderr).to.match(/trust-policy\.yaml:1:\d+/)
    expect(await read('.atomctl', 'trust-policy.yaml')).to.equal('keys: [')
    expect(await filesOf(sandbox)).to.deep.equal([])
  })

  it('public prints the PEM alone, of a private key as of a public one', async () => {
    await keys('generate')
    const pem = await read('cosign.pub')
    expect((await keys('public')).stdout).to.equal(pem)
    expect((await keys('public', '--key', 'cosign.pub')).stdout).to.equal(pem)
    expect((await keys('public', '-q')).stdout).to.match(/^SHA256:\S{43}\n$/)
  })

  it('import turns an unencrypted key into one that signs', async () => {
    const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
    await writeFile(sandbox.path('plain.pem'), privateKey.export({type: 'sec1', format: 'pem'}))
    expect((await keys('import', 'plain.pem', '--output-key-prefix', 'team', '--trust')).code).to.equal(0)
    const file = await writePackage(sandbox)
    await sandbox.atomctl(['sign', file, '--key', 'team.key'])
    expect((await sandbox.atomctl(['verify', file])).code).to.equal(0)
  })

  it('import refuses what is no key, and never prints it', async () => {
    await writeFile(sandbox.path('secret.txt'), 'hunter2hunter2')
    const {code, stderr, stdout} = await keys('import', 'secret.txt')
    expect(code).to.equal(2)
    expect(stderr)
      .to.contain('secret.txt')
      .and.to.match(/^hint: /m)
    expect(stderr + stdout).not.to.contain('hunter2')
    expect(await filesOf(sandbox)).to.deep.equal(['secret.txt'])
  })

  it('says in an envelope what went wrong', async () => {
    const {code, stdout} = await keys('public', '--json')
    expect(code).to.equal(2)
    expect(JSON.parse(stdout)).to.have.nested.property('error.code', 'INPUT_MISSING')
  })

  it('writes nowhere without permission', async function () {
    if (process.getuid?.() === 0) this.skip() // root may write everywhere
    await mkdir(sandbox.path('locked'))
    await chmod(sandbox.path('locked'), 0o500)
    const {code, stderr} = await keys('generate', '--output-key-prefix', 'locked/x')
    expect(code).to.equal(1)
    expect(stderr).to.contain('permission denied')
  })
})
