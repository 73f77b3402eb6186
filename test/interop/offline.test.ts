import {execFile, execFileSync} from 'node:child_process'
import {existsSync, readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {ATOMCTL, createSandbox, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writePackage} from '../support/packages.ts'
import {IDENTITY, identityToken, ISSUER, startSigstore} from './sigstore/index.ts'

const run = promisify(execFile)
const PRELOAD = new URL('no-network.mjs', import.meta.url).href

/** Whether this machine lets us start a process without any network device. */
function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--map-root-user', '--net', 'true'], {stdio: 'ignore'})
    return true
  } catch {
    return false
  }
}

const PACKAGE = 'hello.wpk.yaml'
const TARBALL = 'hello-1.0.0.wpk.tar.gz'
const SIGNER = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', ISSUER]

/** In this order: the later ones look at what the earlier ones made. */
const COMMANDS: readonly (readonly string[])[] = [
  ['validate', PACKAGE],
  ['sign', PACKAGE],
  ['verify', PACKAGE],
  ['verify', PACKAGE, '--key', 'cosign.pub'],
  ['pack', PACKAGE],
  ['pack', PACKAGE, '--sign', '-o', TARBALL],
  ['verify', TARBALL],
  ['sign', '--detached', TARBALL],
  ['verify', TARBALL, '--bundle', `${TARBALL}.sigstore.json`, '--key', 'cosign.pub'],
  ['verify', 'blob.bin', '--bundle', 'blob.bin.sigstore.json', '--trusted-root', 'root.json', ...SIGNER],
  ['verify', 'keyless.wpk.yaml', '--trust-policy', 'keyless-policy.yaml'],
  ['verify', PACKAGE, '--print-payload'],
]

describe('offline means offline', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writePackage(sandbox)
    await prepareKeyless(sandbox)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const ways: [string, readonly string[], readonly string[]][] = [
    ['with every socket and name lookup denied', [], ['--import', PRELOAD]],
    ['without any network device', ['unshare', '--map-root-user', '--net'], []],
  ]
  for (const [how, wrapper, flags] of ways) {
    describe(how, () => {
      before(function () {
        if (wrapper.length > 0 && !canUnshare()) this.skip() // not Linux, or not allowed
      })
      for (const words of COMMANDS) {
        it(`atomctl ${words.join(' ').replaceAll(SIGNER.join(' '), '--certificate-identity …')}`, async () => {
          const report = sandbox.path('network-report')
          const env = {
            PATH: process.env['PATH'],
            HOME: sandbox.home,
            CI: '1',
            COSIGN_PASSWORD: 'correct horse',
            NETWORK_REPORT: report,
          }
          const [program = '', ...args] = [...wrapper, process.execPath, ...flags, ATOMCTL, ...words]
          const {code = 0, stderr} = (await run(program, args, {cwd: sandbox.home, env}).catch(
            (error: unknown) => error,
          )) as {code?: number; stderr: string}
          expect(code, stderr).to.equal(0)
          expect(existsSync(report) ? readFileSync(report, 'utf8') : '').to.equal('')
        })
      }
    })
  }

  it('(and the denial works: a command that needs the network fails and is written down)', async () => {
    const report = sandbox.path('denied')
    const env = {PATH: process.env['PATH'], HOME: sandbox.home, CI: '1', NETWORK_REPORT: report}
    const args = ['--import', PRELOAD, ATOMCTL, 'list', '--registry-url', 'http://127.0.0.1:9']
    const failed = await run(process.execPath, args, {cwd: sandbox.home, env}).catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(Error)
    expect(readFileSync(report, 'utf8')).to.match(/connect|lookup/)
  })
})

/** A keyless package, a keyless blob and what they are verified with: made while there is a network. */
async function prepareKeyless(sandbox: Sandbox): Promise<void> {
  await using sigstore = await startSigstore()
  await writePackage(sandbox, {name: 'keyless'})
  await writeFile(sandbox.path('blob.bin'), 'some bytes')
  await writeFile(sandbox.path('root.json'), readFileSync(sigstore.trustedRoot))
  const keyless = {trustRoot: 'corp', issuer: ISSUER, identity: IDENTITY}
  const policy = {trustRoots: {corp: {file: 'root.json'}}, rules: [{name: 'ci', signers: [{keyless}]}]}
  await writeFile(sandbox.path('keyless-policy.yaml'), JSON.stringify(policy))
  const flags = ['--keyless', '--signing-config', sigstore.signingConfigs[2], '--identity-token', identityToken()]
  for (const words of [
    ['keyless.wpk.yaml', ...flags],
    ['blob.bin', '--detached', ...flags],
  ]) {
    const {code, stderr} = await sandbox.atomctl(['sign', ...words])
    expect(code, stderr).to.equal(0)
  }
}
