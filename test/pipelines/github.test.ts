import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {IDENTITY, identityToken, type LoopbackSigstore, startSigstore} from '../interop/sigstore/index.ts'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {packageText, tamper, writePackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'
import {type Action, readYaml, runStep, trustSigstore, writeStandIn} from './steps.ts'

describe('the GitHub action, its steps run as written', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let action: Action
  beforeEach(async () => {
    sandbox = await createSandbox()
    action = (await readYaml('ci/github/action.yml')) as Action
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const run = (name: string, given: Record<string, string>, env: Record<string, string> = {}): Promise<RunResult> => {
    const step = action.runs.steps.find((candidate) => candidate.name === name)
    if (!step) throw new Error(`the action has no step ${name}`)
    return runStep(sandbox, action, step, given, env)
  }

  it('installs the package with the integrity it was told, and puts it on the PATH', async () => {
    const folder = await writeStandIn(sandbox)
    const first = await run('Install atomctl', {package: folder, integrity: 'sha512-AAAA'})
    expect(first.code).to.equal(1)
    const integrity = /has the integrity (sha512-[\w+/=]+), not sha512-AAAA/.exec(first.stdout)?.[1]
    const second = await run('Install atomctl', {package: folder, integrity: String(integrity)})
    expect(second.code, second.stderr).to.equal(0)
    expect(second.stdout).to.match(/atomctl\/\d/)
    expect(await readFile(sandbox.path('github-path'), 'utf8')).to.match(/atomctl\/install\/bin\n$/)
  })

  it('annotates what is wrong, fails, and writes the summary and the SARIF file', async () => {
    await writeFile(sandbox.path('bad.wpk.yaml'), packageText().replace('mode: manual', 'mode: sometimes'))
    const {code, stdout} = await run('Validate packages', {files: 'bad.wpk.yaml\n', sarif: 'findings.sarif'})
    expect(code).to.equal(3)
    expect(stdout).to.match(/^::error file=bad\.wpk\.yaml,line=\d+,col=\d+,title=/m)
    expect(await readFile(sandbox.path('summary.md'), 'utf8')).to.contain('failed for 1 of 1 files')
    expect(JSON.parse(await readFile(sandbox.path('findings.sarif'), 'utf8'))).to.have.property('version', '2.1.0')
  })

  it('passes sound packages, several lines of them', async () => {
    await writePackage(sandbox)
    await writePackage(sandbox, {name: 'other'})
    const {code, stderr} = await run('Validate packages', {files: 'hello.wpk.yaml\n\nother.wpk.yaml\n', strict: 'true'})
    expect(code, stderr).to.equal(0)
  })

  it('takes no input for code', async () => {
    const hostile = '$(touch owned)`touch owned`;touch owned'
    await run('Validate packages', {files: hostile, sarif: 'x.sarif'})
    await run('Sign packages', {files: hostile, sign: hostile})
    await run('Push packages', {files: hostile, push: hostile})
    await readFile(sandbox.path('owned')).then(
      () => expect.fail('an input was executed'),
      (error: NodeJS.ErrnoException) => expect(error.code).to.equal('ENOENT'),
    )
  })

  it('refuses a way of signing that is none', async () => {
    expect(await run('Sign packages', {sign: 'sometimes'})).to.include({code: 2})
  })

  describe('with a Sigstore and a registry', () => {
    let sigstore: LoopbackSigstore
    before(async () => (sigstore = await startSigstore()))
    after(() => sigstore[Symbol.asyncDispose]())
    afterEach(() => stopServices(sandbox))

    it("signs with the job's identity, verifies, and pushes; the registry refuses what was changed since", async () => {
      await writePackage(sandbox)
      await mkdir(sandbox.path('runbooks', 'rotate'), {recursive: true})
      await writeFile(sandbox.path('runbooks', 'rotate', 'rotate.wpk.yaml'), packageText({name: 'rotate'}))
      await writeFile(sandbox.path('runbooks', 'rotate', 'rotate.sh'), 'echo rotated\n')
      await trustSigstore(sandbox, sigstore)
      const {registryUrl} = await startServices(sandbox)
      const given = {
        files: 'hello.wpk.yaml\nrunbooks',
        sign: 'keyless',
        'signing-config': sigstore.signingConfigs[1],
        'trust-policy': sandbox.path('.atomctl', 'trust-policy.yaml'),
        push: 'true',
        'registry-url': registryUrl,
      }
      const signed = await run('Sign packages', given, {SIGSTORE_ID_TOKEN: identityToken()})
      expect(signed.code, signed.stderr + signed.stdout).to.equal(0)
      const pushed = await run('Push packages', given)
      expect(pushed.code, pushed.stderr + pushed.stdout).to.equal(0)
      expect(pushed.stdout).to.contain(IDENTITY)
      expect((await sandbox.atomctl(['list', '-q'])).stdout).to.equal('hello-1.0.0\nrotate-1.0.0\n')
      await tamper(sandbox, 'hello.wpk.yaml')
      const again = await run('Push packages', given)
      expect(again.code).to.equal(11)
    })
  })
})
