import {readFile, writeFile} from 'node:fs/promises'
import {createHash} from 'node:crypto'
import {refusedUrl} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {tamper, trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'

describe('verify', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let url: string
  beforeEach(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    url = await refusedUrl()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const verify = (...args: string[]): Promise<RunResult> =>
    sandbox.atomctl(['verify', ...args], {env: {ATOMCTL_REGISTRY_URL: url, ATOMCTL_RUNTIME_URL: url}})
  const policyFile = (): string => sandbox.path('.atomctl/trust-policy.yaml')

  it('says who signed, with what key, and which rule of which policy decided, without any network', async () => {
    const {code, stdout, stderr} = await verify(await writeSignedPackage(sandbox))
    expect(code).to.equal(0)
    expect(stderr).to.equal('')
    expect(stdout).to.match(/^\[SUCCESS\] Signature verified: hello\.wpk\.yaml$/m)
    expect(stdout).to.match(/^ {2}Package: hello-1\.0\.0$/m)
    expect(stdout).to.match(/^ {2}Signed By: cosign, key SHA256:\S{43}$/m)
    expect(stdout).to.match(/^ {2}Decided By: rule all-packages \(strict\) of .*trust-policy\.yaml$/m)
  })

  it('tells unsigned (10), tampered (11) and untrusted (12) apart, in text and in json', async () => {
    const unsigned = await writePackage(sandbox, {name: 'unsigned'})
    const tampered = await writeSignedPackage(sandbox, {name: 'tampered'})
    await tamper(sandbox, tampered)
    await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'foreign'])
    const foreign = await writePackage(sandbox, {name: 'foreign'})
    await sandbox.atomctl(['sign', foreign, '--key', 'foreign.key'])
    for (const [file, code, name] of [
      [unsigned, 10, 'WPK_UNSIGNED'],
      [tampered, 11, 'WPK_TAMPERED'],
      [foreign, 12, 'SIGNER_UNTRUSTED'],
    ] as const) {
      const text = await verify(file)
      expect(text.code).to.equal(code)
      expect(text.stdout).to.equal('')
      expect(text.stderr)
        .to.match(/^\[ERROR\] /m)
        .and.to.match(/^hint: /m)
      const json = await verify(file, '--json')
      expect(json.code).to.equal(code)
      expect(JSON.parse(json.stdout)).to.have.nested.property('error.code', name)
    }
  })

  it('prints the policy lines that would trust an unknown signer', async () => {
    const file = await writeSignedPackage(sandbox)
    await writeFile(policyFile(), 'default:\n  level: strict\n')
    const {code, stderr} = await verify(file)
    expect(code).to.equal(12)
    expect(stderr).to.contain('keys:').and.to.contain('signers:')
  })

  it('refuses revoked and expired keys', async () => {
    const file = await writeSignedPackage(sandbox)
    const policy = await readFile(policyFile(), 'utf8')
    const change = (line: string): Promise<void> =>
      writeFile(policyFile(), policy.replace('file: keys/cosign.pub', `file: keys/cosign.pub\n    ${line}`))
    await change('revoked: true')
    expect(JSON.parse((await verify(file, '--json')).stdout)).to.have.nested.property('error.code', 'SIGNER_REVOKED')
    await change('notAfter: "2020-01-01T00:00:00Z"')
    expect(JSON.parse((await verify(file, '--json')).stdout)).to.have.nested.property('error.code', 'SIGNER_EXPIRED')
  })

  it('does not call a package that a lax policy lets through verified', async () => {
    const file = await writePackage(sandbox)
    await writeFile(policyFile(), 'default:\n  level: permissive\n')
    const {code, stdout, stderr} = await verify(file)
    expect(code).to.equal(0)
    expect(stdout)
      .to.match(/^\[WARNING\] Accepted without a trusted signature/m)
      .and.not.to.contain('[SUCCESS]')
    expect(stderr).to.match(/^\[WARNING\] WPK_UNSIGNED/m)
  })

  it('trusts just the key given with --key, whatever the policy says', async () => {
    const file = await writeSignedPackage(sandbox)
    await writeFile(policyFile(), 'default:\n  level: strict\n')
    expect((await verify(file, '--key', 'cosign.pub')).code).to.equal(0)
    await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'other'])
    const other = await verify(file, '--key', 'other.pub')
    expect(other.code).to.equal(12)
    expect(other.stderr).to.contain('signed with another key than other.pub')
  })

  it('checks the bundle beside a tarball', async () => {
    await sandbox.atomctl(['pack', await writePackage(sandbox), '--sign'])
    const bundle = sandbox.path('hello-1.0.0.wpk.tar.gz.sigstore.json')
    expect((await verify('hello-1.0.0.wpk.tar.gz')).stdout).to.contain('Bundle: hello-1.0.0.wpk.tar.gz.sigstore.json')
    await writeFile(sandbox.path('other'), 'other')
    await sandbox.atomctl(['sign', '--detached', 'other'])
    await writeFile(bundle, await readFile(sandbox.path('other.sigstore.json')))
    expect((await verify('hello-1.0.0.wpk.tar.gz')).code).to.equal(11)
    await writeFile(bundle, '{')
    expect((await verify('hello-1.0.0.wpk.tar.gz')).code).to.equal(11)
  })

  it('prints the bytes and the bundle for cosign, verifying neither', async () => {
    const file = await writeSignedPackage(sandbox)
    const payload = (await verify(file, '--print-payload')).stdout
    expect(payload).not.to.match(/\n$/)
    expect(Object.keys(JSON.parse(payload) as object)).to.deep.equal(['apiVersion', 'kind', 'metadata', 'spec'])
    const bundle = JSON.parse((await verify(file, '--print-bundle')).stdout) as {dsseEnvelope: {payload: string}}
    const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()) as {
      subject: {digest: {sha256: string}}[]
    }
    expect(statement.subject[0]?.digest.sha256).to.equal(createHash('sha256').update(payload).digest('hex'))
    const unsigned = await writePackage(sandbox, {name: 'unsigned'})
    expect((await verify(unsigned, '--print-payload')).code).to.equal(0)
    expect((await verify(unsigned, '--print-bundle')).code).to.equal(10)
  })

  it('checks any file against a bundle and a key', async () => {
    await writeFile(sandbox.path('report.txt'), 'report')
    await sandbox.atomctl(['sign', '--detached', 'report.txt'])
    const args = ['report.txt', '--bundle', 'report.txt.sigstore.json', '--key', 'cosign.pub']
    expect((await verify(...args)).code).to.equal(0)
    await writeFile(sandbox.path('report.txt'), 'changed')
    expect((await verify(...args)).code).to.equal(11)
    await writeFile(sandbox.path('report.txt.sigstore.json'), 'no bundle')
    expect((await verify(...args)).code).to.equal(11)
    expect((await verify('missing.txt', ...args.slice(1))).code).to.equal(11)
    expect((await verify('report.txt', '--bundle', 'nowhere.json', '--key', 'cosign.pub')).code).to.equal(2)
    expect((await verify('report.txt', '--bundle', 'report.txt.sigstore.json')).code).to.equal(2)
  })

  it('fails closed on a trust policy that is broken or missing', async () => {
    const file = await writeSignedPackage(sandbox)
    const missing = await verify(file, '--trust-policy', 'nowhere.yaml')
    expect(missing.code).to.equal(2)
    await writeFile(policyFile(), 'default: [')
    const broken = await verify(file)
    expect(broken.code).to.equal(2)
    expect(broken.stderr).to.match(/trust-policy\.yaml:\d+:\d+/)
  })

  it('needs the registry for an id, and says so when there is none', async () => {
    const {code, stderr} = await verify('hello-1.0.0')
    expect(code).to.equal(9)
    expect(stderr).to.contain('Network error')
  })
})
