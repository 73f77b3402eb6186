import {chmod, readFile, stat, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, filesOf, type Sandbox} from '../support/atomctl.ts'
import {HOSTILE_FILES, writeHostileFiles} from '../support/hostile-files.ts'
import {packageText, trustOwnKey} from '../support/packages.ts'

// Every local command that reads a package, against every kind of file that is none.
describe('a local command, given a file that', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeHostileFiles(sandbox)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  for (const [name, file, expected] of HOSTILE_FILES) {
    it(`${name}, says so in a sentence and in an envelope, and changes nothing`, async () => {
      const before = await snapshot(sandbox)
      for (const command of ['validate', 'sign', 'pack', 'verify']) {
        const text = await sandbox.atomctl([command, '--', file])
        expect(text.code, `${command}: ${text.stderr}`).to.equal(expected)
        const said = text.stdout + text.stderr
        expect(said).to.match(/^\[ERROR\] .{10,}/m)
        expect(said, 'escape sequences are defused').not.to.contain('\u001b')
        expect(said, 'a name is not a line of output').not.to.match(/^\[SUCCESS\]/m)
        const json = await sandbox.atomctl([command, '--json', '--', file])
        expect(json.code).to.equal(expected)
        expect(JSON.parse(json.stdout)).to.have.nested.property('error.message')
      }
      expect(await snapshot(sandbox)).to.deep.equal(before)
    })
  }

  it('is a directory without a package, names what it should hold', async () => {
    for (const command of ['validate', 'sign', 'pack', 'verify']) {
      const {code, stderr} = await sandbox.atomctl([command, 'directory.wpk.yaml'])
      expect(code, command).to.be.oneOf([2, 3])
      expect(stderr)
        .to.contain('directory.wpk.yaml')
        .and.to.match(/^hint: /m)
    }
  })

  it('may not be read, says so', async function () {
    if (process.getuid?.() === 0) this.skip() // root may read everything
    await writeFile(sandbox.path('secret.wpk.yaml'), packageText())
    await chmod(sandbox.path('secret.wpk.yaml'), 0)
    const {code, stderr} = await sandbox.atomctl(['validate', 'secret.wpk.yaml'])
    expect(code).to.equal(2)
    expect(stderr).to.contain('permission denied')
  })

  it('was misspelt, suggests the one that is there', async () => {
    await writeFile(sandbox.path('restart.wpk.yaml'), packageText())
    const {stderr} = await sandbox.atomctl(['validate', 'restrat.wpk.yaml'])
    expect(stderr).to.contain('did you mean restart.wpk.yaml?')
  })
})

async function snapshot(sandbox: Sandbox): Promise<[string, number][]> {
  const names = await filesOf(sandbox)
  return Promise.all(
    names.map(async (name): Promise<[string, number]> => {
      const info = await stat(sandbox.path(name)).catch(() => undefined)
      return [name, info?.mtimeMs ?? 0]
    }),
  )
}

describe('a local command that cannot write', function () {
  this.timeout(60_000)
  it('leaves nothing behind on a full disk', async function () {
    const full = await stat('/dev/full').catch(() => undefined)
    if (!full?.isCharacterDevice()) this.skip() // only Linux has it
    await using sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeFile(sandbox.path('x.wpk.yaml'), packageText())
    for (const args of [
      ['pack', 'x.wpk.yaml', '-o', '/dev/full'],
      ['pack', 'x.wpk.yaml', '--sign', '-o', '/dev/full'],
    ]) {
      const {code, stderr} = await sandbox.atomctl(args)
      expect(code).to.equal(1)
      expect(stderr)
        .to.contain('cannot write /dev/full: no space left on the disk')
        .and.to.match(/^hint: /m)
    }
    expect(await readFile(sandbox.path('x.wpk.yaml'), 'utf8')).to.equal(packageText())
    expect((await stat('/dev/full')).isCharacterDevice()).to.equal(true)
  })

  it('says which part of the path is in the way', async () => {
    await using sandbox = await createSandbox()
    await writeFile(sandbox.path('x.wpk.yaml'), packageText())
    const pack = await sandbox.atomctl(['pack', 'x.wpk.yaml', '-o', 'x.wpk.yaml/y.tgz'])
    const keys = await sandbox.atomctl(['keys', 'generate', '--output-key-prefix', 'x.wpk.yaml/key'])
    for (const {code, stderr} of [pack, keys]) {
      expect(code).to.equal(1)
      expect(stderr).to.contain('a part of the path is not a directory')
    }
    expect(await filesOf(sandbox)).not.to.include('key.key')
  })
})
