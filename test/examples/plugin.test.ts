import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {cp, readFile, symlink, unlink} from 'node:fs/promises'
import {delimiter, dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const NAME = '@acme/atomctl-plugin-fleet'
const TARBALL = join('fleet', 'acme-atomctl-plugin-fleet-1.0.0.tgz')

describe('the example plugin', function () {
  this.timeout(300_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox({FLEET_AUDIT: 'audit.log'})
    await cp(join(root, 'examples', 'plugin'), sandbox.path('fleet'), {
      recursive: true,
      filter: (path) => !/[/\\](node_modules|lib)$/.test(path),
    })
    await symlink(join(root, 'node_modules'), sandbox.path('fleet', 'node_modules'))
    await trustOwnKey(sandbox)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  it('passes its own tests, and packs as its own repository', async () => {
    await inFleet('npm', ['test'])
    await inFleet('npm', ['pack'])
    await unlink(sandbox.path('fleet', 'node_modules'))
    expect(existsSync(sandbox.path(TARBALL))).to.equal(true)
  })

  it('is not installed before somebody trusts it', async () => {
    const {code} = await sandbox.atomctl(['plugins', 'install', TARBALL])
    expect(code).to.equal(5)
  })

  it('acts on a signed package, and its hook sees the command', async () => {
    const installed = await sandbox.atomctl(['plugins', 'install', TARBALL, '--trust'])
    expect(installed.code, installed.stderr).to.equal(0)
    const file = await writeSignedPackage(sandbox)
    const {code, stdout, stderr} = await sandbox.atomctl(['fleet', 'deploy', file, 'oslo,berlin'])
    expect(code, stderr).to.equal(0)
    expect(stdout).to.match(/^\[SUCCESS\] hello-1\.0\.0, signed by SHA256:\S+, goes to:\n {2}berlin\n {2}oslo\n$/)
    expect(await readFile(sandbox.path('audit.log'), 'utf8')).to.contain('fleet:deploy\n')
  })

  it('gets no package that is unsigned, and its errors look like ours', async () => {
    const file = await writePackage(sandbox, {name: 'unsigned'})
    const unsigned = await sandbox.atomctl(['fleet', 'deploy', file, 'oslo'])
    expect({code: unsigned.code, stdout: unsigned.stdout}).to.deep.equal({code: 10, stdout: ''})
    const wrong = await sandbox.atomctl(['fleet', 'deploy', 'hello.wpk.yaml', '../etc', '-o', 'json'])
    expect(wrong.code, wrong.stderr).to.equal(2)
    expect((JSON.parse(wrong.stdout) as {error: {code: string}}).error.code).to.equal('USAGE')
  })

  it('leaves nothing behind when it is removed', async () => {
    const {code, stderr} = await sandbox.atomctl(['plugins', 'uninstall', NAME])
    expect(code, stderr).to.equal(0)
    expect((await sandbox.atomctl(['fleet', 'deploy', 'hello.wpk.yaml', 'oslo'])).code).to.equal(127)
    expect(existsSync(sandbox.path('.local', 'share', 'atomctl', 'plugins', '@acme+atomctl-plugin-fleet'))).to.equal(
      false,
    )
  })

  /** Runs a program in the plugin's folder, with the tools of our own node_modules for its. */
  async function inFleet(program: string, args: string[]): Promise<void> {
    const path = [join(root, 'node_modules', '.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter)
    await promisify(execFile)(program, args, {
      cwd: sandbox.path('fleet'),
      env: {PATH: path, HOME: sandbox.home, CI: '1', npm_config_offline: 'true', npm_config_loglevel: 'error'},
    })
  }
})
