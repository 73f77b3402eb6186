import {mkdir, readFile, truncate, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey, writePackage} from '../support/packages.ts'

describe('sign', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const sign = (args: string[], env: Record<string, string> = {}) => sandbox.atomctl(['sign', ...args], {env})
  const read = (name: string): Promise<string> => readFile(sandbox.path(name), 'utf8')

  it('changes the one line of the signature and nothing else, again and again', async () => {
    const text = `# kept\n${packageText().replace('  tags: [test]', '  tags: [test] # kept too\n  signature: ""')}`
    await writeFile(sandbox.path('x.wpk.yaml'), text)
    const without = (signed: string): string => signed.replace(/signature: .*/, 'signature: ""')
    expect((await sign(['x.wpk.yaml'])).stdout).to.match(/^\[SUCCESS\] Signed: x\.wpk\.yaml\n {2}Key: SHA256:/)
    const first = await read('x.wpk.yaml')
    expect(without(first)).to.equal(text)
    expect((await sign(['x.wpk.yaml'])).code).to.equal(0)
    const second = await read('x.wpk.yaml')
    expect(without(second)).to.equal(text)
    expect(second).not.to.equal(first)
    expect((await sandbox.atomctl(['verify', 'x.wpk.yaml'])).code).to.equal(0)
  })

  it('checks every file before the first changes', async () => {
    const good = await writePackage(sandbox, {name: 'good'})
    await writeFile(sandbox.path('bad.wpk.yaml'), 'kind: WorkflowPackage\n')
    const {code, stderr} = await sign([good, 'bad.wpk.yaml'])
    expect(code).to.equal(3)
    expect(stderr).to.contain('bad.wpk.yaml')
    expect(await read(good)).to.equal(packageText({name: 'good'}))
  })

  it('takes --key before ATOMCTL_KEY before signing_key before ./cosign.key', async () => {
    const file = await writePackage(sandbox)
    const fingerprints: Record<string, string> = {}
    for (const name of ['flag', 'variable', 'setting', 'cosign']) {
      if (name !== 'cosign') await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', name])
      fingerprints[name] = (await sandbox.atomctl(['keys', 'public', '-q', '--key', `${name}.pub`])).stdout.trim()
    }
    const signer = async (args: string[], env = {}): Promise<string> => (await sign([file, ...args], env)).stdout
    expect(await signer([])).to.contain(fingerprints['cosign'])
    await sandbox.atomctl(['config', 'set', 'signing_key', sandbox.path('setting.key')])
    expect(await signer([])).to.contain(fingerprints['setting'])
    expect(await signer([], {ATOMCTL_KEY: 'variable.key'})).to.contain(fingerprints['variable'])
    expect(await signer(['--key', 'flag.key'], {ATOMCTL_KEY: 'variable.key'})).to.contain(fingerprints['flag'])
  })

  it('covers the files of a directory', async () => {
    await mkdir(sandbox.path('book'))
    await writeFile(sandbox.path('book/book.wpk.yaml'), packageText({name: 'book'}))
    await writeFile(sandbox.path('book/notes.txt'), 'notes')
    expect((await sign(['book'])).code).to.equal(0)
    expect((await sandbox.atomctl(['pack', 'book'])).stderr).to.equal('')
    const verified = await sandbox.atomctl(['verify', 'book-1.0.0.wpk.tar.gz'])
    expect(verified.stdout).to.contain('Signed Files: 1')
  })

  it('binds the signature to a registry', async () => {
    const file = await writePackage(sandbox)
    await sign([file, '--registry', 'https://registry.example.com'])
    const bundle = JSON.parse((await sandbox.atomctl(['verify', file, '--print-bundle'])).stdout) as {
      dsseEnvelope: {payload: string}
    }
    const statement = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()
    expect(JSON.parse(statement)).to.have.nested.property('predicate.registry', 'https://registry.example.com')
    expect((await sign([file, '--registry', 'example'])).code).to.equal(2)
  })

  it('writes FILE.sigstore.json for any file with --detached, in constant memory', async () => {
    await writeFile(sandbox.path('report.bin'), '')
    await truncate(sandbox.path('report.bin'), 128 * 1024 ** 2)
    expect((await sign(['--detached', 'report.bin'])).code).to.equal(0)
    const check = ['verify', 'report.bin', '--bundle', 'report.bin.sigstore.json', '--key', 'cosign.pub']
    expect((await sandbox.atomctl(check)).code).to.equal(0)
  })

  it('says that a tarball is signed before it is packed', async () => {
    await sandbox.atomctl(['pack', await writePackage(sandbox)])
    const {code, stderr} = await sign(['hello-1.0.0.wpk.tar.gz'])
    expect(code).to.equal(2)
    expect(stderr).to.contain('hint: atomctl pack FILE --sign')
  })

  const keys: [string, string[], Record<string, string>, number, string][] = [
    ['missing', ['--key', 'nowhere.key'], {}, 2, 'atomctl keys generate'],
    ['a public one', ['--key', 'cosign.pub'], {}, 2, 'not an encrypted private key'],
    ['no key', ['--key', 'hello.wpk.yaml'], {}, 2, 'hint: atomctl keys generate'],
    ['locked with another password', [], {COSIGN_PASSWORD: 'wrong'}, 4, 'hint: check COSIGN_PASSWORD'],
  ]
  for (const [name, args, env, expected, words] of keys) {
    it(`refuses a key that is ${name}, and leaves the file alone`, async () => {
      const file = await writePackage(sandbox)
      const {code, stderr} = await sign([file, ...args], env)
      expect(code).to.equal(expected)
      expect(stderr).to.contain(words)
      expect(stderr).not.to.contain('wrong password or damaged file: wrong')
      expect(await read(file)).to.equal(packageText())
    })
  }

  it('asks nothing without a terminal: it names the variable', async () => {
    const file = await writePackage(sandbox)
    const child = await sandbox.atomctl(['sign', file], {env: {COSIGN_PASSWORD: undefined as unknown as string}})
    expect(child.code).to.equal(2)
    expect(child.stderr).to.contain('COSIGN_PASSWORD')
  })
})
