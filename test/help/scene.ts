import {generateKeyPairSync} from 'node:crypto'
import {cp, mkdir, rm, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {identityToken, type LoopbackSigstore} from '../interop/sigstore/index.ts'
import {packageText} from '../support/packages.ts'
import {packPlugin, writePlugin} from '../support/plugins.ts'
import type {RunResult, Sandbox} from '../support/atomctl.ts'
import {runBash} from '../support/shell.ts'

/** The id that examples show; each is run with one of an execution for which it makes sense. */
export const SHOWN = '6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11'

const PLUGIN = {name: '@acme/atomctl-plugin-hello', commands: ['acme:hello']}

const step = (name: string, command: string): string =>
  `    - name: ${name}\n      type: shell\n      config:\n        command: ${JSON.stringify(command)}`

/** A person's directory in which the examples of `--help` make sense: the files, keys and packages that they name. */
export class Scene {
  readonly #sandbox: Sandbox
  readonly #env: Record<string, string>

  constructor(sandbox: Sandbox, env: Record<string, string> = {}) {
    this.#sandbox = sandbox
    this.#env = {COSIGN_PASSWORD: 'correct horse', ...env}
  }

  run(script: string): Promise<RunResult> {
    return runBash(this.#sandbox, `cd work\n${script}`, this.#env)
  }

  /** @throws when it does not exit with 0 */
  async must(script: string): Promise<string> {
    const {code, stdout, stderr} = await this.run(script)
    if (code !== 0) throw new Error(`${script}: ${stderr}${stdout}`)
    return stdout.trim()
  }

  /** Keeps the directory as it is now: what {@link restore} brings back. */
  async keep(): Promise<void> {
    await cp(this.#path('.'), this.#sandbox.path('kept'), {recursive: true})
  }

  /** Every example starts in the same directory, whatever the one before it left there. */
  async restore(): Promise<void> {
    await rm(this.#path('.'), {recursive: true, force: true})
    await cp(this.#sandbox.path('kept'), this.#path('.'), {recursive: true})
  }

  #path(name: string): string {
    return join(this.#sandbox.path('work'), name)
  }

  async write(name: string, text: string): Promise<void> {
    const path = this.#path(name)
    await mkdir(dirname(path), {recursive: true})
    await writeFile(path, text)
  }

  async writeFiles(): Promise<void> {
    await this.write('restart-unhealthy.wpk.yaml', this.restart('1.0.0'))
    await this.write('next/restart-unhealthy.wpk.yaml', this.restart('1.1.0'))
    await this.write('hello-shell.wpk.yaml', packageText({name: 'hello-shell'}))
    for (const name of ['flaky', 'slow', 'careful']) await this.write(`packages/${name}.wpk.yaml`, this.#special(name))
    for (const name of ['disk-report', 'backup-verify'])
      await this.write(`packages/${name}.wpk.yaml`, packageText({name}))
    for (const name of ['examples/one', 'teams/web/two', 'runbooks/three', 'runbooks/restart']) {
      await this.write(`${name}.wpk.yaml`, packageText({name: name.replaceAll('/', '-')}))
      await this.write(`${name}.wpktest.yaml`, testText(`${basename(name)}.wpk.yaml`))
    }
    await this.write('restart.wpktest.yaml', testText('runbooks/restart.wpk.yaml'))
    await this.write('runbooks/restart-payments.wpk.yaml', packageText({name: 'restart-payments'}))
    await this.write('runbooks/restart-payments.wpktest.yaml', testText('restart-payments.wpk.yaml'))
    await this.write('runbooks/rotate/rotate.wpk.yaml', packageText({name: 'rotate', command: 'sh rotate.sh'}))
    await this.write('runbooks/rotate/rotate.sh', 'echo rotated\n')
    await this.write('runbooks/rotate/rotate.wpktest.yaml', testText('rotate.wpk.yaml'))
    await this.write('collect-diagnostics/collect.wpk.yaml', packageText({name: 'collect-diagnostics'}))
    await this.write('collect-diagnostics/notes.md', 'what it collects\n')
    await this.write('report.pdf', 'a report')
    await this.write('token-file', 'a-token-of-sixteen-characters\n')
    const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
    await this.write('existing.pem', privateKey.export({type: 'pkcs8', format: 'pem'}).toString())
    await this.write('colleague.pub', publicKey.export({type: 'spki', format: 'pem'}).toString())
    await this.write('acme.pub', publicKey.export({type: 'spki', format: 'pem'}).toString())
    await this.write('release.yaml', 'packages: [runbooks/three.wpk.yaml]\n')
    for (const name of ['nightly', 'fleet']) await this.write(`${name}.yaml`, 'packages: [disk-report-1.0.0]\n')
    await writePlugin(this.#path('atomctl-plugin-hello'), PLUGIN)
    await writeFile(this.#path('atomctl-plugin-hello-1.0.0.tgz'), await packPlugin(PLUGIN))
  }

  /** Two signed versions, as the examples of `--append`, `diff` and `verify --print-bundle --signer 2` have them. */
  restart(version: string): string {
    const handlers = [step('find-pods', 'echo found'), step('restart-pods', 'echo restarted in $NAMESPACE')].join('\n')
    const more = `  parameters:\n    - {name: namespace, type: string, required: true}\n  rollback:\n    enabled: true\n    handlers:\n${step('go-back', 'echo back')}\n`
    return packageText({name: 'restart-unhealthy', version, handlers}) + more
  }

  #special(name: string): string {
    const mark = this.#path('mark')
    const commands: Record<string, string> = {
      flaky: `test -e ${mark}`,
      slow: `until test -e ${mark}; do sleep 0.1; done`,
    }
    const text = packageText({
      name,
      handlers: [step('find-pods', 'echo found'), step('restart-pods', commands[name] ?? 'true')].join('\n'),
    })
    return name === 'careful' ? text.replace('mode: manual', 'mode: manual\n    approval_required: true') : text
  }

  async writeSigstore(sigstore: LoopbackSigstore): Promise<void> {
    await this.must(
      `cp ${sigstore.signingConfigs[1]} signing_config.json && cp ${sigstore.trustedRoot} trusted_root.json`,
    )
    await this.write('token.jwt', identityToken({sub: 'me@example.com'}))
  }
}

/** A test file of one case, for a package whose one step is called greet. */
function testText(path: string): string {
  return `package: ${path}
cases:
  - name: completes, and rolls back nothing
    mocks:
      greet: {output: hello}
    expect: {status: completed, order: [greet]}
`
}
