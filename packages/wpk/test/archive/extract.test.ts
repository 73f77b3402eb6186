import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {expect} from 'chai'
import {documentMember, extractArchive} from '@atomctl/wpk/archive'
import {DOCUMENT, expectCode, gzip, member, packed, samplePackage, sampleTar, source, tarOf} from './fixtures.ts'

describe('extracting an archive', () => {
  let parent: string
  let directory: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'extract-'))
    directory = join(parent, 'package')
  })
  afterEach(() => rmSync(parent, {recursive: true, force: true}))

  it('writes every member with its mode into a new directory', async () => {
    const contents = await extractArchive(source(await packed(samplePackage())), directory)
    expect(contents.files.map(({path}) => path)).to.deep.equal(['README.md', 'scripts/run.sh'])
    expect(readFileSync(join(directory, 'wpk.yaml'))).to.deep.equal(DOCUMENT)
    expect(readFileSync(join(directory, 'README.md'), 'utf8')).to.equal('# hi\n')
    if (process.platform !== 'win32') {
      expect(statSync(join(directory, 'scripts/run.sh')).mode & 0o100).to.equal(0o100)
      expect(statSync(join(directory, 'README.md')).mode & 0o111).to.equal(0)
    }
  })

  it('writes a file larger than the chunks it comes in', async () => {
    const content = Buffer.alloc(300_000, 'abc')
    await extractArchive(source(await packed([documentMember(DOCUMENT), member('data', content)])), directory)
    expect(readFileSync(join(directory, 'data')).equals(content)).to.equal(true)
  })

  it('uses an empty directory that exists, and leaves it there after a failure', async () => {
    mkdirSync(directory)
    await expectCode(extractArchive(source(gzip(await sampleTar()).subarray(0, -20)), directory), 'ARCHIVE_INVALID')
    expect(readdirSync(directory)).to.deep.equal([])
    await extractArchive(source(await packed(samplePackage())), directory)
    expect(readdirSync(directory).sort()).to.deep.equal(['README.md', 'scripts', 'wpk.yaml'])
  })

  it('refuses a directory with anything in it, and touches nothing there', async () => {
    mkdirSync(directory)
    writeFileSync(join(directory, 'README.md'), 'mine')
    await expectCode(
      extractArchive(source(await packed(samplePackage())), directory),
      'ARCHIVE_INVALID',
      /not an empty/,
    )
    expect(readFileSync(join(directory, 'README.md'), 'utf8')).to.equal('mine')
  })

  it('refuses a link as the directory', async function () {
    if (process.platform === 'win32') this.skip()
    const target = join(parent, 'elsewhere')
    mkdirSync(target)
    symlinkSync(target, directory)
    await expectCode(
      extractArchive(source(await packed(samplePackage())), directory),
      'ARCHIVE_INVALID',
      /not an empty/,
    )
    expect(readdirSync(target)).to.deep.equal([])
  })

  it('does not follow a link that appears while it extracts', async function () {
    if (process.platform === 'win32') this.skip()
    const target = join(parent, 'elsewhere')
    mkdirSync(target)
    const bytes = await packed(samplePackage())
    const slow = (): Readable =>
      Readable.from(
        (async function* () {
          symlinkSync(target, join(directory, 'scripts'))
          yield bytes
        })(),
      )
    const error = await extractArchive(slow, directory).catch((reason: NodeJS.ErrnoException) => reason)
    expect(error).to.have.property('code', 'EEXIST')
    expect(readdirSync(target)).to.deep.equal([])
  })

  it('does not write into a file that appears while it extracts', async () => {
    const bytes = await packed(samplePackage())
    const slow = (): Readable =>
      Readable.from(
        (async function* () {
          writeFileSync(join(directory, 'README.md'), 'mine')
          yield bytes
        })(),
      )
    const error = await extractArchive(slow, directory).catch((reason: NodeJS.ErrnoException) => reason)
    expect(error).to.have.property('code', 'EEXIST')
    expect(readFileSync(join(directory, 'README.md'), 'utf8')).to.equal('mine')
  })

  it('leaves nothing behind when the archive turns out to be bad at its very end', async () => {
    const bytes = await packed(samplePackage())
    await expectCode(extractArchive(source(Buffer.concat([bytes, Buffer.from('x')])), directory), 'ARCHIVE_INVALID')
    expect(existsSync(directory)).to.equal(false)
  })

  it('leaves nothing behind, inside or outside, when a later member is hostile', async () => {
    const evil = gzip(
      await tarOf([
        [{name: 'a/ok'}, 'x'],
        [{name: '../evil'}, 'x'],
        [{name: 'wpk.yaml'}, 'x'],
      ]),
    )
    await expectCode(extractArchive(source(evil), directory), 'ARCHIVE_INVALID')
    expect(readdirSync(parent)).to.deep.equal([])
  })

  it('leaves nothing behind when a limit is reached', async () => {
    await expectCode(extractArchive(source(await packed(samplePackage())), directory, {files: 2}), 'ARCHIVE_TOO_LARGE')
    expect(existsSync(directory)).to.equal(false)
  })
})
