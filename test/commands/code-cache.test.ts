import {chmod, chown, mkdir, readdir, readFile, stat, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {writePackage} from '../support/packages.ts'

const KEPT = /\.code$/

describe('the compiled code that a command keeps for its next start', () => {
  let sandbox: Sandbox

  beforeEach(async () => {
    sandbox = await createSandbox()
    await writePackage(sandbox)
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  async function kept(): Promise<string[]> {
    const names = await readdir(sandbox.path('.cache/atomctl/code'), {recursive: true}).catch(() => [])
    return names.filter((name) => KEPT.test(name)).map((name) => sandbox.path(`.cache/atomctl/code/${name}`))
  }

  async function onlyOne(command: string): Promise<string> {
    const files = await kept()
    const [file] = files.filter((path) => path.includes(process.version) && path.includes(`/${command}/main.cjs`))
    if (file === undefined) throw new Error(`nothing is kept for ${command}: ${files.join()}`)
    return file
  }

  it('is one file for each command, the user’s alone, written once', async () => {
    for (const words of [
      ['validate', 'hello.wpk.yaml'],
      ['pack', 'hello.wpk.yaml'],
    ]) {
      await sandbox.atomctl(words)
      const file = await onlyOne(words[0] ?? '')
      const first = await stat(file)
      expect(first.mode & 0o777).to.equal(0o600)
      expect((await sandbox.atomctl(words)).code).to.equal(0)
      expect((await stat(file)).ino, words[0]).to.equal(first.ino)
    }
  })

  it('is not kept of a run that failed, which called other functions', async () => {
    expect((await sandbox.atomctl(['validate', 'missing.wpk.yaml'])).code).not.to.equal(0)
    expect(await kept()).to.deep.equal([])
  })

  it('is made again where it is damaged', async () => {
    await sandbox.atomctl(['validate', 'hello.wpk.yaml'])
    const file = await onlyOne('validate')
    const whole = await readFile(file)
    for (const damaged of [Buffer.alloc(0), Buffer.from('not code'), whole.subarray(0, 4096)]) {
      await writeFile(file, damaged)
      expect((await sandbox.atomctl(['validate', 'hello.wpk.yaml'])).code).to.equal(0)
      expect((await stat(file)).size).to.be.greaterThan(whole.length / 2)
    }
  })

  it('is not read, and replaced, where others could have written it', async () => {
    await sandbox.atomctl(['validate', 'hello.wpk.yaml'])
    const file = await onlyOne('validate')
    await chmod(file, 0o666)
    expect((await sandbox.atomctl(['validate', 'hello.wpk.yaml'])).code).to.equal(0)
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
  })

  it('is not read, and replaced, where it is another user’s, as under sudo', async function () {
    // only root can give a file away
    if (process.getuid?.() !== 0) return this.skip()
    await sandbox.atomctl(['validate', 'hello.wpk.yaml'])
    const file = await onlyOne('validate')
    await chown(file, 65534, 65534)
    expect((await sandbox.atomctl(['validate', 'hello.wpk.yaml'])).code).to.equal(0)
    expect((await stat(file)).uid).to.equal(0)
  })

  it('goes when another bundle comes and it was given to no command for a month', async () => {
    const code = sandbox.path('.cache/atomctl/code')
    const monthAgo = new Date(Date.now() - 31 * 24 * 60 * 60_000)
    for (const name of ['long-ago', 'lately']) {
      await mkdir(join(code, name, 'validate'), {recursive: true})
      await writeFile(join(code, name, 'validate', 'main.cjs.code'), 'of another bundle')
    }
    await utimes(join(code, 'long-ago'), monthAgo, monthAgo)
    await sandbox.atomctl(['validate', 'hello.wpk.yaml'])
    await onlyOne('validate')
    expect(await readdir(code))
      .to.include('lately')
      .and.not.to.include('long-ago')
  })

  it('is missed by nobody where nothing can be written', async () => {
    await mkdir(sandbox.path('.cache'), {recursive: true})
    await writeFile(sandbox.path('.cache/atomctl'), 'a file where the folder should be')
    expect(await sandbox.atomctl(['validate', 'hello.wpk.yaml'])).to.include({code: 0, stderr: ''})
  })
})
