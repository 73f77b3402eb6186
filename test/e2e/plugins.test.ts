import {existsSync} from 'node:fs'
import {mkdir, readdir, readFile, rm, symlink, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {type NpmRegistry, startNpmRegistry} from '../support/npm-registry.ts'
import {integrityOf, packFiles, packPlugin, type PluginOptions, writePlugin} from '../support/plugins.ts'

const NAME = '@acme/tool'
const FOLDER = ['.local', 'share', 'atomctl', 'plugins']
const INSTALLED = [...FOLDER, '@acme+tool', 'node_modules', '@acme', 'tool']

describe('plugins of the user', function () {
  this.timeout(180_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  async function writeTarball(options: PluginOptions = {}, file = 'tool.tgz'): Promise<Buffer> {
    const tarball = await packPlugin(options)
    await writeFile(sandbox.path(file), tarball)
    return tarball
  }

  async function install(options: PluginOptions = {}): Promise<void> {
    await writeTarball(options)
    succeeded(await sandbox.atomctl(['plugins', 'install', 'tool.tgz', '--trust']))
  }

  async function writeTrust(rules: string, file = '.atomctl/plugin-trust.yaml'): Promise<void> {
    await mkdir(sandbox.path('.atomctl'), {recursive: true})
    await writeFile(sandbox.path(file), `apiVersion: atomctl.dev/plugin-trust/v1\nplugins:\n${rules}`)
  }

  /** Commands that work without the plugins, and one that refuses. */
  async function expectRefused(exit: number, words: string): Promise<void> {
    const {code, stdout, stderr} = await sandbox.atomctl(['schema', 'print'])
    expect({code, stdout}, stderr).to.deep.equal({code: exit, stdout: ''})
    expect(stderr).to.contain(words)
    for (const args of [['plugins'], ['config'], ['help']]) {
      const result = await sandbox.atomctl(args)
      expect(result.code, `${args.join(' ')}: ${result.stderr}`).to.equal(0)
    }
  }

  async function leftovers(): Promise<string[]> {
    const folder = sandbox.path(...FOLDER)
    return existsSync(folder) ? readdir(folder) : []
  }

  describe('from a tarball', () => {
    it('are refused when no list names them, and nothing of them is unpacked', async () => {
      await writeTarball()
      const {code, stdout, stderr} = await sandbox.atomctl(['plugins', 'install', 'tool.tgz'])
      expect({code, stdout}).to.deep.equal({code: 5, stdout: ''})
      expect(stderr).to.contain('does not allow the plugin @acme/tool 1.0.0: it does not name it')
      expect(await leftovers()).to.deep.equal([])
      expect((await sandbox.atomctl(['acme', 'hello'])).code).to.equal(127)
    })

    it('are installed once trusted, run with the SDK of atomctl, are listed, inspected and removed', async () => {
      await install({hooks: {postrun: './after.js'}, files: {'after.js': 'export default async () => {}'}})
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.0.0\n')
      expect(succeeded(await sandbox.atomctl(['plugins']))).to.match(/@acme\/tool +1\.0\.0 +user +trusted +acme hello/)
      const shown = succeeded(await sandbox.atomctl(['plugins', 'inspect', NAME, '-o', 'json']))
      expect((JSON.parse(shown) as {data: object}).data).to.include({status: 'trusted', version: '1.0.0'})
      expect(succeeded(await sandbox.atomctl(['plugins', 'uninstall', NAME]))).to.contain('removed')
      expect((await sandbox.atomctl(['acme', 'hello'])).code).to.equal(127)
      expect(await leftovers()).to.deep.equal([])
      expect(await readFile(sandbox.path('.atomctl', 'plugin-trust.yaml'), 'utf8')).not.to.contain(NAME)
    })

    it('do not run their npm scripts unless the list lets them', async () => {
      const pjson = {scripts: {postinstall: "node -e \"require('fs').writeFileSync(process.env.HOME + '/ran', '')\""}}
      await install({pjson})
      expect(existsSync(sandbox.path('ran'))).to.equal(false)
      await writeTrust(`  - {name: "${NAME}", scripts: true}\n`)
      succeeded(await sandbox.atomctl(['plugins', 'install', 'tool.tgz']))
      expect(existsSync(sandbox.path('ran'))).to.equal(true)
    })

    it('whose list wants a signature are refused without one, with another key, and accepted with the right one', async () => {
      const tarball = await writeTarball()
      succeeded(await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'acme']))
      succeeded(await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'other']))
      succeeded(await sandbox.atomctl(['plugins', 'trust', '@acme/*', '--key', 'acme.pub']))
      const attempt = (): Promise<RunResult> => sandbox.atomctl(['plugins', 'install', 'tool.tgz'])
      expect((await attempt()).code).to.equal(5)
      await signTarball('other.key', tarball)
      expect((await attempt()).code).to.equal(5)
      await signTarball('acme.key', Buffer.from('something else'))
      expect((await attempt()).code).to.equal(11)
      await signTarball('acme.key', tarball)
      succeeded(await attempt())
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.0.0\n')
      await rm(sandbox.path('acme.pub'))
      await expectRefused(2, 'acme.pub')
    })

    async function signTarball(key: string, bytes: Uint8Array): Promise<void> {
      const actual = await readFile(sandbox.path('tool.tgz'))
      await writeFile(sandbox.path('tool.tgz'), bytes)
      succeeded(await sandbox.atomctl(['sign', '--detached', '--key', key, 'tool.tgz']))
      await writeFile(sandbox.path('tool.tgz'), actual)
    }

    it('with bad input say what is wrong, and nothing is installed', async () => {
      await writeFile(sandbox.path('noise.tgz'), 'noise')
      await writeFile(
        sandbox.path('plain.tgz'),
        await packFiles({'package.json': '{"name":"plain","version":"1.0.0"}'}),
      )
      await writeTarball({manifest: false}, 'bare.tgz')
      await writeTarball({oclif: {plugins: ['@acme/other']}}, 'nest.tgz')
      await writeTarball({oclif: {commands: '../../../evil'}}, 'outside.tgz')
      await writeTarball({pjson: {peerDependencies: {'@atomctl/sdk': '^9'}}}, 'future.tgz')
      await mkdir(sandbox.path('directory'))
      for (const [file, exit] of [
        ['noise.tgz', 1],
        ['plain.tgz', 3],
        ['bare.tgz', 3],
        ['nest.tgz', 3],
        ['outside.tgz', 3],
        ['future.tgz', 3],
        ['missing.tgz', 2],
        ['directory/', 2],
        ['git+https://example.com/x.git', 2],
        ['http://example.com/x.tgz', 2],
        ['--prefix=/', 2],
      ] as const) {
        const {code, stdout, stderr} = await sandbox.atomctl(['plugins', 'install', '--trust', '--', file])
        expect({code, stdout}, `${file}: ${stderr}`).to.deep.equal({code: exit, stdout: ''})
        expect(await leftovers()).to.deep.equal([])
      }
      expect(existsSync(sandbox.path('.atomctl', 'plugins.json'))).to.equal(false)
    })

    it('need npm, and say so', async () => {
      await writeTarball()
      const {code, stderr} = await sandbox.atomctl(['plugins', 'install', 'tool.tgz', '--trust'], {env: {PATH: ''}})
      // a Node that was installed with an npm beside it does not need the PATH
      if (code !== 0) expect({code, said: stderr.includes('npm')}).to.deep.equal({code: 1, said: true})
    })
  })

  describe('may not take the place of anything', () => {
    const attacks: [string, PluginOptions][] = [
      ['a command', {commands: ['push']}],
      ['a command under a topic of atomctl', {commands: ['config:evil']}],
      ['what follows a command', {commands: ['run:hello']}],
      ['a command by an alias', {aliases: ['verify']}],
      ['a topic', {oclif: {topics: {keys: {description: 'evil'}}}}],
      ['a package of atomctl', {name: '@atomctl/plugin-dev'}],
      ['the SDK', {name: '@atomctl/sdk'}],
      ['a bundled plugin of oclif', {name: '@oclif/plugin-help'}],
      ['the init hook', {hooks: {init: './x.js'}}],
      ['the answer to an unknown command', {hooks: {command_not_found: './x.js'}}],
    ]
    for (const [what, options] of attacks) {
      it(what, async () => {
        const marker = `import {writeFileSync} from 'node:fs'; writeFileSync(process.env.HOME + '/ran', '')`
        // not even when somebody writes it past the installation
        const root = await writePlugin(sandbox.path('link'), {...options, files: {'x.js': marker}})
        await writeLedger({name: options.name ?? NAME, root})
        await writeTrust(`  - {name: "${options.name ?? NAME}", link: "${root}"}\n`)
        const {code: started, stdout} = await sandbox.atomctl(['schema', 'print'])
        expect({started, stdout}).to.deep.equal({started: 7, stdout: ''})
        expect(existsSync(sandbox.path('ran'))).to.equal(false)
      })
    }

    async function writeLedger({name, root}: {name: string; root: string}): Promise<void> {
      await mkdir(sandbox.path('.atomctl'), {recursive: true})
      const plugins = [{name, version: '1.0.0', type: 'link', root, signers: []}]
      await writeFile(
        sandbox.path('.atomctl/plugins.json'),
        JSON.stringify({apiVersion: 'atomctl.dev/plugins/v1', plugins}),
      )
    }

    it('and are refused at installation already', async () => {
      await writeTarball({commands: ['config:evil']})
      const {code, stderr} = await sandbox.atomctl(['plugins', 'install', 'tool.tgz', '--trust'])
      expect(code, stderr).to.equal(7)
      expect(await leftovers()).to.deep.equal([])
    })

    it('of another plugin', async () => {
      await install()
      await writeTarball({name: '@other/tool'}, 'other.tgz')
      const {code, stderr} = await sandbox.atomctl(['plugins', 'install', 'other.tgz', '--trust'])
      expect(code, stderr).to.equal(7)
      expect(stderr).to.contain('also one of @acme/tool')
    })
  })

  describe('are checked at every start, before any of their code', () => {
    const marker = `import {writeFileSync} from 'node:fs'; writeFileSync(process.env.HOME + '/ran', ''); export default async () => {}`
    beforeEach(() => install({hooks: {prerun: './hook.js'}, files: {'hook.js': 'export default async () => {}'}}))

    it('and refused when a file was changed, even with its old time and size', async () => {
      const path = sandbox.path(...INSTALLED, 'commands', 'acme', 'hello.js')
      const before = await readFile(path, 'utf8')
      await writeFile(path, before.replace('ran ', 'RAN '))
      await utimes(path, new Date(0), new Date(0))
      await expectRefused(11, 'its files were changed')
      expect(succeeded(await sandbox.atomctl(['plugins']))).to.contain('PLUGIN_CHANGED')
      const doctor = await sandbox.atomctl(['doctor'])
      expect(doctor.stdout).to.match(/fail {2}plugins: .*@acme\/tool 1\.0\.0 is not what you installed/)
      succeeded(await sandbox.atomctl(['plugins', 'install', 'tool.tgz']))
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.0.0\n')
    })

    it('and refused when a hook, a dependency or a link was added, or a file removed', async () => {
      const hook = sandbox.path(...INSTALLED, 'hook.js')
      await writeFile(hook, marker)
      await expectRefused(11, 'is not what you installed')
      await rm(hook)
      await expectRefused(11, 'is not what you installed')
      await writeFile(hook, 'export default async () => {}')
      expect((await sandbox.atomctl(['acme', 'hello'])).code).to.equal(0)
      await symlink('/etc', sandbox.path(...INSTALLED, 'link'))
      await expectRefused(11, 'leads out of the plugin')
      await rm(sandbox.path(...INSTALLED, 'link'))
      await mkdir(sandbox.path(...FOLDER, '@acme+tool', 'node_modules', 'chalk'))
      await writeFile(sandbox.path(...FOLDER, '@acme+tool', 'node_modules', 'chalk', 'index.js'), marker)
      await expectRefused(11, 'is not what you installed')
      expect(existsSync(sandbox.path('ran'))).to.equal(false)
    })

    it('and refused when they are no longer in the list, or the list cannot be read', async () => {
      succeeded(await sandbox.atomctl(['plugins', 'untrust', NAME]))
      await expectRefused(5, 'it does not name it')
      await writeTrust(`  - {name: "${NAME}", versoins: "1"}\n`)
      await expectRefused(2, 'plugin-trust.yaml:3')
      await writeFile(sandbox.path('.atomctl', 'plugins.json'), '{')
      const {code, stderr} = await sandbox.atomctl(['schema', 'print'])
      expect(code, stderr).to.equal(2)
    })

    it('and what oclif would read from its own list is never loaded', async () => {
      const root = await writePlugin(sandbox.path('stray'), {
        name: 'stray',
        commands: ['stray:run'],
        hooks: {init: './x.js'},
        files: {'x.js': marker},
      })
      const list = {dependencies: {}, oclif: {schema: 1, plugins: [{name: 'stray', root, type: 'link'}]}}
      await writeFile(sandbox.path('.local', 'share', 'atomctl', 'package.json'), JSON.stringify(list))
      expect((await sandbox.atomctl(['stray', 'run'])).code).to.equal(127)
      expect(existsSync(sandbox.path('ran'))).to.equal(false)
    })

    it("and a project's or an organisation's list can only take away", async () => {
      await writeTrust(`  - {name: "${NAME}"}\n  - {name: "@evil/*"}\n`, 'team.yaml')
      await writeFile(sandbox.path('.atomctl.yaml'), 'plugin_trust: team.yaml\n')
      succeeded(await sandbox.atomctl(['acme', 'hello']))
      await writeTarball({name: '@evil/tool', commands: ['evil:run']}, 'evil.tgz')
      expect((await sandbox.atomctl(['plugins', 'install', 'evil.tgz'])).code).to.equal(5)
      await writeTrust(`  - {name: "${NAME}", versions: "^2"}\n`, 'team.yaml')
      await expectRefused(5, 'team.yaml does not allow the plugin @acme/tool 1.0.0: it wants the version ^2')
      const {code} = await sandbox.atomctl(['plugins', 'install', 'tool.tgz', '--trust'])
      expect(code).to.equal(5)
      await rm(sandbox.path('team.yaml'))
      await expectRefused(2, 'team.yaml')
    })
  })

  describe('that are linked', () => {
    it('need a yes, follow their directory, and can be forbidden', async () => {
      const root = await writePlugin(sandbox.path('work'))
      expect((await sandbox.atomctl(['plugins', 'link', root])).code).to.equal(5)
      succeeded(await sandbox.atomctl(['plugins', 'trust', '@acme/*']))
      expect((await sandbox.atomctl(['plugins', 'link', root])).code).to.equal(5)
      succeeded(await sandbox.atomctl(['plugins', 'link', root, '--trust']))
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.0.0\n')
      await writePlugin(root, {version: '1.1.0'})
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.1.0\n')
      await writeTrust(`  - {name: "${NAME}"}\n`, 'team.yaml')
      const {code} = await sandbox.atomctl(['acme', 'hello'], {env: {ATOMCTL_PLUGIN_TRUST: 'team.yaml'}})
      expect(code).to.equal(5)
      succeeded(await sandbox.atomctl(['plugins', 'unlink', NAME]))
      expect(existsSync(join(root, 'package.json'))).to.equal(true)
    })

    it('without a manifest are found out when they take the place of a command', async () => {
      const root = await writePlugin(sandbox.path('work'), {manifest: false, commands: ['acme:hello', 'push']})
      succeeded(await sandbox.atomctl(['plugins', 'link', root, '--trust']))
      const {code, stdout} = await sandbox.atomctl(['push', 'x.wpk.yaml'])
      expect({code, stdout}).to.deep.equal({code: 7, stdout: ''})
    })
  })

  describe('from a registry', () => {
    let registry: NpmRegistry
    beforeEach(async () => {
      registry = await startNpmRegistry()
      await mkdir(sandbox.path('.atomctl'), {recursive: true})
      await writeFile(sandbox.path('.npmrc'), `registry=${registry.url}\nfetch-retries=0\n`)
    })
    afterEach(() => registry[Symbol.asyncDispose]())

    it('are installed with their dependencies, and updated as far as the list allows', async () => {
      registry.publish(
        'left',
        '1.0.0',
        await packFiles({'package.json': '{"name":"left","version":"1.0.0"}', 'index.js': ''}),
      )
      registry.publish(NAME, '1.0.0', await packPlugin({pjson: {dependencies: {left: '^1'}}}))
      succeeded(await sandbox.atomctl(['plugins', 'trust', '@acme/*', '--versions', '^1']))
      // the double's packument carries no dependencies, so npm reads them from the tarball itself
      succeeded(await sandbox.atomctl(['plugins', 'install', NAME]))
      expect(existsSync(sandbox.path(...FOLDER, '@acme+tool', 'node_modules', 'left', 'package.json'))).to.equal(true)
      registry.publish(NAME, '1.2.0', await packPlugin({version: '1.2.0'}))
      succeeded(await sandbox.atomctl(['plugins', 'update']))
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.2.0\n')
      registry.publish(NAME, '2.0.0', await packPlugin({version: '2.0.0'}))
      const {code, stderr} = await sandbox.atomctl(['plugins', 'update'])
      expect(code, stderr).to.equal(5)
      expect(succeeded(await sandbox.atomctl(['acme', 'hello']))).to.equal('ran acme:hello 1.2.0\n')
    })

    it('keep to the tarball that the list pins, also when the registry replaces it', async () => {
      const good = await packPlugin()
      registry.publish(NAME, '1.0.0', good)
      await writeTrust(`  - {name: "${NAME}", integrity: ["${integrityOf(good)}"]}\n`)
      succeeded(await sandbox.atomctl(['plugins', 'install', NAME]))
      registry.publish(NAME, '1.0.0', await packPlugin({files: {'extra.js': ''}}))
      await rm(sandbox.path('.npm'), {recursive: true, force: true})
      expect((await sandbox.atomctl(['plugins', 'update', NAME])).code).to.equal(5)
    })

    it('that is private get its token from .npmrc, and nobody else gets it', async () => {
      await using private_ = await startNpmRegistry('secret-token')
      await using elsewhere = await startNpmRegistry()
      private_.publish(NAME, '1.0.0', await packPlugin())
      private_.publish('@acme/moved', '1.0.0', await packPlugin(), {
        redirect: `${elsewhere.url.replace('127.0.0.1', 'localhost')}@acme/moved/-/1.0.0.tgz`,
      })
      succeeded(await sandbox.atomctl(['plugins', 'trust', '@acme/*']))
      const attempt = (name: string): Promise<RunResult> => sandbox.atomctl(['plugins', 'install', name])
      await writeFile(sandbox.path('.npmrc'), `@acme:registry=${private_.url}\nfetch-retries=0\n`)
      const denied = await attempt(NAME)
      expect(denied.code, denied.stderr).to.equal(4)
      const host = new URL(private_.url).host
      await writeFile(sandbox.path('.npmrc'), `@acme:registry=${private_.url}\n//${host}/:_authToken=secret-token\n`)
      succeeded(await attempt(NAME))
      const moved = await attempt('@acme/moved')
      expect(moved.code).not.to.equal(0)
      expect(elsewhere.requests.map(({authorization}) => authorization)).to.deep.equal([undefined])
      expect(denied.stderr + moved.stderr).not.to.contain('secret-token')
    })

    it('that lies, hangs, hangs up, or knows nothing leaves no trace', async () => {
      const tarball = await packPlugin()
      registry.publish('@acme/lie', '1.0.0', tarball, {serve: await packPlugin({files: {'evil.js': ''}})})
      registry.publish('@acme/hang', '1.0.0', tarball, {hang: true})
      registry.publish('@acme/cut', '1.0.0', tarball, {cut: true})
      succeeded(await sandbox.atomctl(['plugins', 'trust', '@acme/*']))
      for (const [name, exits] of [
        ['@acme/lie', [11]],
        ['@acme/hang', [9]],
        ['@acme/cut', [9, 11, 1]],
        ['@acme/none', [6]],
        [`${NAME}@9.9.9`, [6]],
      ] as const) {
        const env = {ATOMCTL_REQUEST_TIMEOUT: '1s', ATOMCTL_RETRY_ATTEMPTS: '1'}
        const {code, stdout, stderr} = await sandbox.atomctl(['plugins', 'install', name], {env})
        expect(code, `${name}: ${stderr}`).to.be.oneOf([...exits])
        expect(stdout).to.equal('')
        expect(await leftovers()).to.deep.equal([])
      }
    })
  })
})

function succeeded({code, stdout, stderr}: RunResult): string {
  expect(code, stderr).to.equal(0)
  return stdout
}
