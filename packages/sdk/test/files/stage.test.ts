import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {fileURLToPath} from 'node:url'
import {stageFile, writeFileSafely} from '@atomctl/sdk/files'
import {expect} from 'chai'

describe('a staged file', () => {
  let directory: string
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'atomctl-stage-')))
  })
  afterEach(() => rm(directory, {recursive: true, force: true}))

  const at = (...parts: string[]): string => join(directory, ...parts)
  const read = (name: string): Promise<string> => readFile(at(name), 'utf8')
  const failure = async (work: Promise<unknown>): Promise<{code?: string; message: string}> => {
    try {
      await work
    } catch (error) {
      return error as {code?: string; message: string}
    }
    throw new Error('it did not fail')
  }

  it('is not there before commit, and complete after it', async () => {
    await writeFile(at('x'), 'before')
    await using staged = await stageFile(at('x'), Readable.from([Buffer.from('af'), Buffer.from('ter')]))
    expect(await read('x')).to.equal('before')
    await staged.commit()
    expect(await read('x')).to.equal('after')
    expect(await readdir(directory)).to.deep.equal(['x'])
  })

  it('leaves nothing when it is not committed', async () => {
    await writeFile(at('x'), 'before')
    {
      await using staged = await stageFile(at('x'), 'after')
      expect(staged.path).to.equal(at('x'))
    }
    expect(await read('x')).to.equal('before')
    expect(await readdir(directory)).to.deep.equal(['x'])
  })

  it('leaves nothing when its content breaks off', async () => {
    async function* breakOff(): AsyncGenerator<Buffer> {
      yield Buffer.from('half')
      throw new Error('the source broke')
    }
    const {code, message} = await failure(stageFile(at('x'), Readable.from(breakOff())))
    expect(code).to.equal('OUTPUT_FAILED')
    expect(message).to.contain('the source broke')
    expect(await readdir(directory)).to.deep.equal([])
  })

  it('can be read back before and after commit', async () => {
    await using staged = await stageFile(at('x'), 'content')
    expect(await Array.fromAsync(staged.open())).to.deep.equal([Buffer.from('content')])
    await staged.commit()
    expect(await Array.fromAsync(staged.open())).to.deep.equal([Buffer.from('content')])
  })

  it('keeps the mode of the file it replaces, and gives exactly the mode asked for', async function () {
    if (process.platform === 'win32') this.skip() // there are no such modes
    await writeFile(at('x'), '')
    await chmod(at('x'), 0o640)
    await writeFileSafely(at('x'), 'x')
    expect((await stat(at('x'))).mode & 0o777).to.equal(0o640)
    await writeFileSafely(at('y'), 'y', {mode: 0o666})
    expect((await stat(at('y'))).mode & 0o777).to.equal(0o666)
  })

  it('replaces what a link points to, not the link', async () => {
    await mkdir(at('real'))
    await writeFile(at('real', 'x'), 'before')
    await symlink(at('real', 'x'), at('link'))
    await writeFileSafely(at('link'), 'after')
    expect((await lstat(at('link'))).isSymbolicLink()).to.equal(true)
    expect(await read('real/x')).to.equal('after')
  })

  it('never replaces with exclusive, not even a file that appeared meanwhile', async () => {
    await using staged = await stageFile(at('x'), 'mine', {exclusive: true})
    await writeFile(at('x'), 'theirs')
    expect((await failure(staged.commit())).code).to.equal('OUTPUT_EXISTS')
    expect((await failure(stageFile(at('x'), 'mine', {exclusive: true}))).code).to.equal('OUTPUT_EXISTS')
    expect(await read('x')).to.equal('theirs')
    expect(await readdir(directory)).to.deep.equal(['x'])
  })

  it('refuses a directory, and a path through a file', async () => {
    await mkdir(at('d'))
    await writeFile(at('f'), '')
    expect((await failure(stageFile(at('d'), ''))).message).to.contain('it is a directory')
    expect((await failure(stageFile(at('f', 'x'), ''))).message).to.contain('a part of the path is not a directory')
  })

  it('writes through to a device instead of replacing it', async function () {
    const full = await stat('/dev/full').catch(() => undefined)
    if (!full?.isCharacterDevice()) this.skip() // only Linux has it
    const {code, message} = await failure(stageFile('/dev/full', 'x'))
    expect(code).to.equal('OUTPUT_FAILED')
    expect(message).to.contain('no space left on the disk')
    expect((await stat('/dev/full')).isCharacterDevice()).to.equal(true)
  })

  it('leaves nothing when the process ends in between', async () => {
    const sources = fileURLToPath(new URL('../../../../scripts/sources.mjs', import.meta.url))
    const program = `
      const {stageFile} = await import('@atomctl/sdk/files')
      await stageFile(${JSON.stringify(at('x'))}, 'content')
      process.on('SIGTERM', () => process.exit(143))
      process.stdout.write('staged')
      setInterval(() => {}, 1000)`
    const cwd = fileURLToPath(new URL('../..', import.meta.url))
    const child = spawn(process.execPath, ['--import', sources, '--input-type=module', '-e', program], {cwd})
    await once(child.stdout, 'data')
    expect(await readdir(directory)).to.have.length(1)
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(await readdir(directory)).to.deep.equal([])
  })
})
