import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {identityToken, type LoopbackSigstore, startSigstore} from '../interop/sigstore/index.ts'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey, writePackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'
import {runBash} from '../support/shell.ts'
import {readYaml, trustSigstore, writeStandIn} from './steps.ts'

interface Job {
  readonly script: readonly string[]
}
interface Template {
  readonly '.atomctl': {readonly variables: Readonly<Record<string, string>>; readonly before_script: readonly string[]}
  readonly 'atomctl:validate': Job
  readonly 'atomctl:publish': Job
}
interface Hook {
  readonly id: string
  readonly entry: string
  readonly files: string
}

describe('pipelines, run as written', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  beforeEach(async () => (sandbox = await createSandbox()))
  afterEach(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  describe('the GitLab template', () => {
    let template: Template
    before(async () => (template = (await readYaml('ci/gitlab/atomctl.gitlab-ci.yml')) as Template))

    /** As GitLab's runner does: the lines in one shell, ended by the first that fails. */
    const runJob = (lines: readonly string[], env: Record<string, string> = {}): Promise<RunResult> =>
      runBash(sandbox, `set -eo pipefail\n${lines.join('\n')}`, {
        ...template['.atomctl'].variables,
        CI_BUILDS_DIR: sandbox.path('builds'),
        ...env,
      })

    it('installs what it was told, and nothing else', async () => {
      const {before_script: lines} = template['.atomctl']
      const standIn = await writeStandIn(sandbox)
      const refused = await runJob(lines, {ATOMCTL_PACKAGE: standIn, ATOMCTL_INTEGRITY: 'sha512-AAAA'})
      expect(refused.code).to.equal(1)
      const integrity = String(/has the integrity (sha512-[\w+/=]+),/.exec(refused.stderr)?.[1])
      const installed = await runJob(lines, {ATOMCTL_PACKAGE: standIn, ATOMCTL_INTEGRITY: integrity})
      expect(installed.code, installed.stderr).to.equal(0)
      expect(installed.stdout).to.match(/^atomctl\/\d/m)
    })

    it('writes a JUnit report and fails where a package is bad', async () => {
      await mkdir(sandbox.path('runbooks'))
      await writeFile(sandbox.path('runbooks', 'good.wpk.yaml'), packageText({name: 'good'}))
      const {script} = template['atomctl:validate']
      expect(await runJob(script, {ATOMCTL_FILES: 'runbooks'})).to.include({code: 0})
      await writeFile(sandbox.path('runbooks', 'bad.wpk.yaml'), 'nothing: here\n')
      const failed = await runJob(script, {ATOMCTL_FILES: 'runbooks'})
      expect(failed.code).to.equal(3)
      expect(await readFile(sandbox.path('atomctl.xml'), 'utf8')).to.match(/<testsuites? [^>]*failures="1"/)
    })

    describe('with a Sigstore', () => {
      let sigstore: LoopbackSigstore
      before(async () => (sigstore = await startSigstore()))
      after(() => sigstore[Symbol.asyncDispose]())

      it("publishes with the job's identity", async () => {
        await writePackage(sandbox)
        await trustSigstore(sandbox, sigstore)
        await startServices(sandbox)
        const env = {
          ATOMCTL_FILES: 'hello.wpk.yaml',
          ATOMCTL_SIGNING_CONFIG: sigstore.signingConfigs[2],
          SIGSTORE_ID_TOKEN: identityToken(),
        }
        const {code, stderr} = await runJob(template['atomctl:publish'].script, env)
        expect(code, stderr).to.equal(0)
        expect((await sandbox.atomctl(['list', '-q'])).stdout).to.equal('hello-1.0.0\n')
      })
    })
  })

  describe('the pre-commit hooks', () => {
    // pre-commit itself comes from the network; it runs `entry` with the changed files that match `files`
    const runHook = async (id: string, names: readonly string[]): Promise<RunResult> => {
      const hooks = (await readYaml('.pre-commit-hooks.yaml')) as Hook[]
      const hook = hooks.find((candidate) => candidate.id === id)
      const matching = names.filter((name) => new RegExp(hook?.files ?? '^$').test(name))
      return runBash(sandbox, `${hook?.entry} "$@"`, {}, matching)
    }

    it('stop a commit of a bad package, and ask only of packages', async () => {
      await writePackage(sandbox)
      await writeFile(sandbox.path('values.yaml'), 'a: [')
      expect(await runHook('atomctl-validate', ['hello.wpk.yaml', 'values.yaml'])).to.include({code: 0})
      await writeFile(sandbox.path('bad.wpk.yaml'), 'a: [')
      expect(await runHook('atomctl-validate', ['hello.wpk.yaml', 'bad.wpk.yaml'])).to.include({code: 3})
    })

    it('quote what can be quoted', async () => {
      await writeFile(sandbox.path('hello.wpk.yaml'), packageText().replace('author: The tests', 'author: yes'))
      expect(await runHook('atomctl-fix', ['hello.wpk.yaml'])).to.include({code: 0})
      expect(await readFile(sandbox.path('hello.wpk.yaml'), 'utf8')).to.contain('author: "yes"')
    })
  })

  it('the shell pipeline checks, signs, pushes and tries every package', async () => {
    await mkdir(sandbox.path('runbooks'))
    for (const name of ['one', 'two'])
      await writeFile(sandbox.path('runbooks', `${name}.wpk.yaml`), packageText({name}))
    await mkdir(sandbox.path('runbooks', 'rotate'))
    const rotate = packageText({name: 'rotate', command: 'sh rotate.sh'})
    await writeFile(sandbox.path('runbooks', 'rotate', 'rotate.wpk.yaml'), rotate)
    await writeFile(sandbox.path('runbooks', 'rotate', 'rotate.sh'), 'echo rotated\n')
    await trustOwnKey(sandbox)
    await startServices(sandbox)
    const script = fileURLToPath(new URL('../../examples/pipelines/shell/release.sh', import.meta.url))
    const env = {COSIGN_PASSWORD: 'correct horse', ATOMCTL_KEY: 'cosign.key'}
    const {code, stdout, stderr} = await runBash(sandbox, `"${script}" runbooks`, env)
    expect(code, stderr).to.equal(0)
    expect((await sandbox.atomctl(['list', '-q'])).stdout.trim().split('\n').toSorted()).to.deep.equal([
      'one-1.0.0',
      'rotate-1.0.0',
      'two-1.0.0',
    ])
    expect(stdout).to.contain('completed')
  })

  it('the example workflows use the action and the template with inputs that they have', async () => {
    const {inputs} = (await readYaml('ci/github/action.yml')) as {inputs: object}
    const {jobs} = (await readYaml('examples/pipelines/github/workflow.yml')) as {
      jobs: Record<string, {steps: {uses: string; with?: object}[]}>
    }
    const uses = Object.values(jobs).flatMap(({steps}) => steps.filter((step) => step.uses.includes('/ci/github@')))
    expect(uses).to.have.length(2)
    for (const step of uses) expect(inputs).to.include.all.keys(Object.keys(step.with ?? {}))
    const {variables} = (await readYaml('examples/pipelines/gitlab/.gitlab-ci.yml')) as {variables: object}
    const text = await readFile(new URL('../../ci/gitlab/atomctl.gitlab-ci.yml', import.meta.url), 'utf8')
    for (const name of Object.keys(variables)) expect(text).to.contain(name)
  })
})
