import {cp, mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {tamper, trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the signature gate', function () {
  this.timeout(60_000)

  describe("on a plugin's command", () => {
    let sandbox: Sandbox
    before(async () => {
      sandbox = await createSandbox()
      await trustOwnKey(sandbox)
      const plugin = join(root, 'test', 'fixtures', 'plugin-guard')
      const {code, stderr} = await sandbox.atomctl(['plugins', 'link', plugin, '--trust'])
      expect(code, stderr).to.equal(0)
    })
    after(() => sandbox[Symbol.asyncDispose]())

    it('lets a signed package through, even where a hook of the plugin throws', async () => {
      const file = await writeSignedPackage(sandbox)
      const {code, stdout, stderr} = await sandbox.atomctl(['guard', 'deploy', file])
      expect(code, stderr).to.equal(0)
      expect(stdout).to.equal('DEPLOYED hello-1.0.0\n')
    })

    it('stops an unsigned one before the command runs', async () => {
      const file = await writePackage(sandbox, {name: 'unsigned'})
      const {code, stdout, stderr} = await sandbox.atomctl(['guard', 'deploy', file])
      expect({code, stdout}).to.deep.equal({code: 10, stdout: ''})
      expect(stderr).to.contain('has no signature')
    })

    it('stops all of them when the last one was tampered with', async () => {
      const good = await writeSignedPackage(sandbox, {name: 'good'})
      const bad = await writeSignedPackage(sandbox, {name: 'bad'})
      await tamper(sandbox, bad)
      const {code, stdout} = await sandbox.atomctl(['guard', 'deploy', good, bad])
      expect({code, stdout}).to.deep.equal({code: 11, stdout: ''})
    })

    it('is not passed by flags, -- or an environment that tries', async () => {
      const file = await writePackage(sandbox, {name: 'sneaky'})
      for (const args of [
        ['--', file],
        [file, '--no-verify'],
        [file, '--json'],
      ]) {
        const {code, stdout} = await sandbox.atomctl(['guard', 'deploy', ...args], {
          env: {ATOMCTL_SKIP_SIGNATURES: '1', OCLIF_SKIP_HOOKS: '1', NODE_ENV: 'development'},
        })
        expect(code, args.join(' ')).to.be.oneOf([2, 10])
        expect(stdout).not.to.contain('DEPLOYED')
      }
    })

    it('hands no package to a command that did not declare its need', async () => {
      const file = await writeSignedPackage(sandbox, {name: 'forgotten'})
      const {code, stdout, stderr} = await sandbox.atomctl(['guard', 'forgetful', file])
      expect({code, stdout}).to.deep.equal({code: 5, stdout: ''})
      expect(stderr).to.contain('was not verified')
    })
  })

  describe('fails closed', () => {
    // an installation whose prerun hook is damaged, each in its own way
    const damages: [string, string][] = [
      ['cannot be loaded', ''],
      ['throws a plain error', `export default async () => { throw new Error('damaged') }`],
      ['does nothing', 'export default async () => {}'],
    ]
    for (const [name, source] of damages) {
      it(`when the hook ${name}: even a signed package is refused`, async () => {
        await using sandbox = await createSandbox()
        await trustOwnKey(sandbox)
        const file = await writeSignedPackage(sandbox)
        const binary = await installDamaged(sandbox, source)
        for (const args of [
          ['push', file],
          ['run', file],
          ['pull', 'hello-1.0.0'],
        ]) {
          const {code, stdout, stderr} = await sandbox.atomctl(args, {binary})
          expect({code, stdout}, args[0]).to.deep.equal({code: 5, stdout: ''})
          expect(stderr).to.contain(`the signature check of ${args[0]} did not run`)
        }
      })
    }
  })
})

/** A copy of the installation with another prerun hook; its entry file. */
async function installDamaged(sandbox: Sandbox, hook: string): Promise<string> {
  const copy = sandbox.path('installation')
  await mkdir(copy)
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {oclif: {hooks: {prerun: string}}}
  manifest.oclif.hooks.prerun = './damaged.js'
  await writeFile(join(copy, 'package.json'), JSON.stringify(manifest))
  if (hook) await writeFile(join(copy, 'damaged.js'), hook)
  await cp(join(root, 'oclif.manifest.json'), join(copy, 'oclif.manifest.json'))
  for (const name of ['lib', 'node_modules']) await symlink(join(root, name), join(copy, name))
  const entry = join(copy, 'entry.js')
  const main = pathToFileURL(join(root, 'lib', 'main.cjs')).href
  await writeFile(
    entry,
    `import {main} from '${main}'\nawait main(process.argv.slice(2), new URL('.', import.meta.url))\n`,
  )
  return entry
}
