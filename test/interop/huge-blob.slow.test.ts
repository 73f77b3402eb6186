import {execFile} from 'node:child_process'
import {open, truncate, writeFile} from 'node:fs/promises'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {ATOMCTL, createSandbox, type Sandbox} from '../support/atomctl.ts'
import {IDENTITY, identityToken, ISSUER, type LoopbackSigstore, startSigstore} from './sigstore/index.ts'

const run = promisify(execFile)
const SIZE = 2 * 2 ** 30
/** What the command takes for a blob of a few bytes, and as much again. */
const MEMORY_KIB = 256 * 1024
// not maxRSS, which a process inherits from the one that started it
const REPORT = `import {readFileSync} from 'node:fs'
const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
process.on('exit', () => process.stderr.write('peak ' + peak() + ' KiB'))`
const PRELOAD = `data:text/javascript,${encodeURIComponent(REPORT)}`

describe('a blob of 2 GiB', function () {
  this.timeout(300_000)
  let sandbox: Sandbox
  let sigstore: LoopbackSigstore
  before(async () => {
    sigstore = await startSigstore()
    sandbox = await createSandbox()
    await writeFile(sandbox.path('blob.bin'), '')
    await truncate(sandbox.path('blob.bin'), SIZE) // sparse: takes no room
    await measure(['keys', 'generate', '--no-trust'])
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    await sigstore[Symbol.asyncDispose]()
  })

  /** Runs the binary; its exit code and its peak of memory in KiB. */
  async function measure(args: readonly string[]): Promise<{code: number; peak: number; stderr: string}> {
    const env = {PATH: process.env['PATH'], HOME: sandbox.home, CI: '1', COSIGN_PASSWORD: 'correct horse'}
    const flags = ['--import', PRELOAD, ATOMCTL, ...args]
    const {code = 0, stderr} = (await run(process.execPath, flags, {cwd: sandbox.home, env}).catch(
      (error: unknown) => error,
    )) as {code?: number; stderr: string}
    return {code, stderr, peak: Number(/peak (\d+) KiB/.exec(stderr)?.[1])}
  }

  /** Turns one bit in the middle. */
  async function damage(): Promise<void> {
    await using handle = await open(sandbox.path('blob.bin'), 'r+')
    await handle.write(Buffer.of(1), 0, 1, SIZE / 2)
  }
  async function mend(): Promise<void> {
    await using handle = await open(sandbox.path('blob.bin'), 'r+')
    await handle.write(Buffer.of(0), 0, 1, SIZE / 2)
  }

  const keyless = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', ISSUER]
  const ways: [string, () => string[], () => string[]][] = [
    ['by key', () => [], () => ['--key', 'cosign.pub']],
    [
      'without a key',
      () => ['--keyless', '--signing-config', sigstore.signingConfigs[2], '--identity-token', identityToken()],
      () => ['--trusted-root', sigstore.trustedRoot, ...keyless],
    ],
  ]
  for (const [how, signing, trust] of ways) {
    it(`is signed and verified ${how} as a stream, in memory that does not grow with it`, async () => {
      const verify = ['verify', 'blob.bin', '--bundle', 'blob.bin.sigstore.json', ...trust()]
      for (const args of [['sign', '--detached', 'blob.bin', ...signing()], verify]) {
        const {code, peak, stderr} = await measure(args)
        expect(code, stderr).to.equal(0)
        expect(peak, args[0]).to.be.greaterThan(0).and.lessThan(MEMORY_KIB)
        console.log(`      ${args[0]} ${how}: ${Math.round(peak / 1024)} MiB`)
      }
      await damage()
      const {code, peak} = await measure(verify)
      await mend()
      expect(code).to.equal(11)
      expect(peak).to.be.lessThan(MEMORY_KIB)
    })
  }
})
