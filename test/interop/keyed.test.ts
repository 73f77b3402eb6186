import {readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {tamper, writePackage} from '../support/packages.ts'
import {type CosignResult, findCosign, runCosign} from './cosign.ts'

const PREDICATE = 'https://atomctl.dev/attestations/wpk/v1'
const IGNORE_LOG = ['--insecure-ignore-tlog']
const SERVICES = JSON.stringify({mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json'})

/** Both programs know the password of a sandbox's keys. */
describe('keys and keyed signatures between atomctl and cosign', function () {
  this.timeout(60_000)
  const program = findCosign()
  let sandbox: Sandbox
  before(async function () {
    if (program === undefined) return this.skip() // scripts/install-peers.sh installs it
    sandbox = await createSandbox()
    await writeFile(sandbox.path('blob.bin'), 'some bytes')
    await writeFile(sandbox.path('other.bin'), 'other bytes')
    await writeFile(sandbox.path('no-services.json'), SERVICES)
    expectGood(await cosign('generate-key-pair', '--output-key-prefix', 'theirs'))
    expectGood(await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'ours']))
  })
  after(async () => sandbox?.[Symbol.asyncDispose]())

  const cosign = (...args: readonly string[]): Promise<CosignResult> => runCosign(program ?? '', args, sandbox.home)
  const expectGood = (result: RunResult | CosignResult): void => {
    expect(result.code, 'output' in result ? result.output : result.stderr).to.equal(0)
  }
  const signWithCosign = (key: string, bundle: string): Promise<CosignResult> =>
    cosign('sign-blob', '-y', '--key', key, '--signing-config', 'no-services.json', '--bundle', bundle, 'blob.bin')

  for (const owner of ['ours', 'theirs']) {
    const [key, pub] = [`${owner}.key`, `${owner}.pub`]

    it(`with ${owner === 'ours' ? "atomctl's" : "cosign's"} key, cosign accepts what atomctl signs`, async () => {
      expectGood(await sandbox.atomctl(['sign', '--detached', 'blob.bin', '--key', key]))
      const bundle = ['--bundle', 'blob.bin.sigstore.json']
      expectGood(await cosign('verify-blob', '--key', pub, ...IGNORE_LOG, ...bundle, 'blob.bin'))
      expect((await cosign('verify-blob', '--key', pub, ...IGNORE_LOG, ...bundle, 'other.bin')).code).not.to.equal(0)
    })

    it(`with ${owner === 'ours' ? "atomctl's" : "cosign's"} key, atomctl accepts what cosign signs`, async () => {
      expectGood(await signWithCosign(key, 'theirs.sigstore.json'))
      const flags = ['--bundle', 'theirs.sigstore.json', '--key', pub]
      expectGood(await sandbox.atomctl(['verify', 'blob.bin', ...flags]))
      expect((await sandbox.atomctl(['verify', 'other.bin', ...flags])).code).to.equal(11)
    })

    it(`with ${owner === 'ours' ? "atomctl's" : "cosign's"} key, cosign accepts the package and no other`, async () => {
      const file = await writePackage(sandbox, {name: owner})
      expectGood(await sandbox.atomctl(['sign', file, '--key', key]))
      const verify = async (): Promise<CosignResult> => {
        await print(file, '--print-payload', 'wpk.jcs.json')
        await print(file, '--print-bundle', 'wpk.sigstore.json')
        const args = ['--key', pub, ...IGNORE_LOG, '--type', PREDICATE, '--bundle', 'wpk.sigstore.json', 'wpk.jcs.json']
        return cosign('verify-blob-attestation', ...args)
      }
      expectGood(await verify())
      await tamper(sandbox, file)
      expect((await verify()).code).not.to.equal(0)
    })
  }

  const print = async (file: string, flag: string, output: string): Promise<void> => {
    const result = await sandbox.atomctl(['verify', file, flag])
    expectGood(result)
    await writeFile(sandbox.path(output), result.stdout)
  }

  it('a tarball and its bundle go to cosign', async () => {
    const file = await writePackage(sandbox, {name: 'packed'})
    expectGood(await sandbox.atomctl(['pack', file, '--sign', '--key', 'ours.key']))
    const tarball = 'packed-1.0.0.wpk.tar.gz'
    const bundle = ['--bundle', `${tarball}.sigstore.json`]
    expectGood(await cosign('verify-blob', '--key', 'ours.pub', ...IGNORE_LOG, ...bundle, tarball))
  })

  it('an attestation by cosign is accepted for the file it is about', async () => {
    await writeFile(sandbox.path('predicate.json'), '{"checked": true}')
    const attest = ['attest-blob', '-y', '--key', 'theirs.key', '--signing-config', 'no-services.json']
    const about = ['--predicate', 'predicate.json', '--type', 'https://example.com/p/v1']
    expectGood(await cosign(...attest, ...about, '--bundle', 'attestation.json', 'blob.bin'))
    const flags = ['--bundle', 'attestation.json', '--key', 'theirs.pub']
    expectGood(await sandbox.atomctl(['verify', 'blob.bin', ...flags]))
    expect((await sandbox.atomctl(['verify', 'other.bin', ...flags])).code).to.equal(11)
  })

  it('an imported key is the same key in both programs', async () => {
    const pem = sandbox.path('plain.pem')
    const {generateKeyPairSync} = await import('node:crypto')
    const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
    await writeFile(pem, privateKey.export({type: 'pkcs8', format: 'pem'}))
    expectGood(await sandbox.atomctl(['keys', 'import', pem, '--output-key-prefix', 'imported']))
    expectGood(await cosign('import-key-pair', '--key', pem, '--output-key-prefix', 'their-import'))
    const [ours, theirs] = [
      await readFile(sandbox.path('imported.pub')),
      await readFile(sandbox.path('their-import.pub')),
    ]
    expect(ours.equals(theirs)).to.equal(true)
    expectGood(await signWithCosign('imported.key', 'imported.sigstore.json'))
    expectGood(await sandbox.atomctl(['sign', '--detached', 'blob.bin', '--key', 'their-import.key']))
  })

  it("a wrong password opens neither program's key", async () => {
    for (const key of ['ours.key', 'theirs.key']) {
      const env = {COSIGN_PASSWORD: 'wrong'}
      const {code, stderr} = await sandbox.atomctl(['sign', '--detached', 'blob.bin', '--key', key], {env})
      expect(code).to.equal(4)
      expect(stderr).to.contain(key).and.to.contain('COSIGN_PASSWORD')
    }
  })

  it('a key of other key derivation parameters is refused before it costs anything', async () => {
    const pem = await readFile(sandbox.path('theirs.key'), 'utf8')
    const [, body = ''] = /-----\n([\s\S]*?)\n-----END/.exec(pem) ?? []
    const sealed = JSON.parse(Buffer.from(body, 'base64').toString()) as {kdf: {params: {N: number}}}
    sealed.kdf.params.N = 2 ** 30
    const lines =
      Buffer.from(JSON.stringify(sealed))
        .toString('base64')
        .match(/.{1,64}/g) ?? []
    await writeFile(sandbox.path('costly.key'), pem.replace(body, lines.join('\n')))
    const {code, stderr} = await sandbox.atomctl(['sign', '--detached', 'blob.bin', '--key', 'costly.key'])
    expect(code, stderr).to.equal(2)
  })

  it("a bundle of somebody else's key is refused with its fingerprint", async () => {
    expectGood(await signWithCosign('theirs.key', 'stranger.sigstore.json'))
    const flags = ['--bundle', 'stranger.sigstore.json', '--key', 'ours.pub']
    const {code, stderr} = await sandbox.atomctl(['verify', 'blob.bin', ...flags])
    expect(code).to.equal(12)
    expect(stderr).to.match(/SHA256:/)
  })
})
