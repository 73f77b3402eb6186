import {execFileSync} from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {expect} from 'chai'
import {collectFiles, documentMember, packArchive, readArchive} from '@atomctl/wpk/archive'
import {DOCUMENT, bytesOf, expectCode, source} from './fixtures.ts'

describe('collecting the files of a package', () => {
  let directory: string
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'collect-'))))
  afterEach(() => rmSync(directory, {recursive: true, force: true}))

  const write = (path: string, content: string | Uint8Array = 'x'): string => {
    const file = join(directory, path)
    mkdirSync(dirname(file), {recursive: true})
    writeFileSync(file, content)
    return file
  }

  it('takes a file alone, whatever lies beside it', async () => {
    const file = write('restart.wpk.yaml', DOCUMENT)
    write('README.md')
    expect(await collectFiles(file)).to.deep.equal({document: {path: file, bytes: DOCUMENT}, files: [], skipped: []})
  })

  it('takes the one document of a directory and every file below it, sorted', async () => {
    write('restart.wpk.yaml', DOCUMENT)
    chmodSync(write('scripts/run.sh', '#!/bin/sh\n'), 0o755)
    write('.config', 'hidden files belong to the package')
    write('README.md')
    const {document, files} = await collectFiles(directory)
    expect(document.path).to.equal(join(directory, 'restart.wpk.yaml'))
    expect(files.map(({path, exec}) => [path, exec])).to.deep.equal([
      ['.config', false],
      ['README.md', false],
      ['scripts/run.sh', process.platform !== 'win32'],
    ])
  })

  it('takes what an archive was extracted to, so that packing it again gives the same bytes', async () => {
    write('wpk.yaml', DOCUMENT)
    write('README.md')
    const {document, files} = await collectFiles(directory)
    const contents = await readArchive(source(await bytesOf(packArchive([documentMember(document.bytes), ...files]))))
    expect(contents.files.map(({path}) => path)).to.deep.equal(['README.md'])
  })

  it('leaves out version control, tests and earlier archives, and says so', async () => {
    write('restart.wpk.yaml', DOCUMENT)
    for (const path of [
      '.git/HEAD',
      'vendor/.svn/x',
      'restart-1.0.0.wpk.tar.gz',
      'restart-1.0.0.wpk.tar.gz.sigstore.json',
      'restart.wpktest.yaml',
    ])
      write(path)
    const {files, skipped} = await collectFiles(directory)
    expect(files).to.deep.equal([])
    expect(skipped).to.deep.equal([
      '.git',
      'restart-1.0.0.wpk.tar.gz',
      'restart-1.0.0.wpk.tar.gz.sigstore.json',
      'restart.wpktest.yaml',
      'vendor/.svn',
    ])
  })

  it('refuses a directory without a document, and one with two', async () => {
    await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /no \*\.wpk\.yaml/)
    write('a.wpk.yaml', DOCUMENT)
    write('b.wpk.yaml', DOCUMENT)
    await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /a\.wpk\.yaml, b\.wpk\.yaml/)
  })

  it('refuses a private key beside the document', async () => {
    write('restart.wpk.yaml', DOCUMENT)
    write('cosign.key', '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n')
    await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /cosign\.key is a private key/)
  })

  it('refuses links: to a file, to a directory, to nothing, and as the document', async function () {
    if (process.platform === 'win32') this.skip()
    write('restart.wpk.yaml', DOCUMENT)
    for (const target of ['/etc/passwd', '/etc', 'nowhere']) {
      symlinkSync(target, join(directory, 'link'))
      await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /link is neither/)
      rmSync(join(directory, 'link'))
    }
    rmSync(join(directory, 'restart.wpk.yaml'))
    symlinkSync('/etc/passwd', join(directory, 'restart.wpk.yaml'))
    await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /restart\.wpk\.yaml is neither/)
  })

  it('refuses a FIFO without waiting for it', async function () {
    if (process.platform === 'win32') this.skip()
    write('restart.wpk.yaml', DOCUMENT)
    execFileSync('mkfifo', [join(directory, 'pipe')])
    await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /pipe is neither/)
    await expectCode(collectFiles(join(directory, 'pipe')), 'ARCHIVE_INVALID', /pipe is neither/)
  })

  it('refuses a name that not every platform can hold', async function () {
    if (process.platform === 'win32') this.skip()
    write('restart.wpk.yaml', DOCUMENT)
    write('what?.md')
    await expectCode(collectFiles(directory), 'ARCHIVE_INVALID', /what\?\.md/)
  })

  it('refuses more than the limits allow', async () => {
    write('restart.wpk.yaml', DOCUMENT)
    write('a')
    write('b')
    await expectCode(collectFiles(directory, {files: 2}), 'ARCHIVE_TOO_LARGE')
    await expectCode(collectFiles(directory, {totalBytes: 1}), 'ARCHIVE_TOO_LARGE')
    await expectCode(collectFiles(directory, {documentBytes: 1}), 'ARCHIVE_TOO_LARGE')
  })

  const pack = async (): Promise<Buffer> => {
    const {document, files} = await collectFiles(directory)
    changeFile(join(directory, 'data'))
    return bytesOf(packArchive([documentMember(document.bytes), ...files]))
  }
  let changeFile: (file: string) => void

  const changes: [string, (file: string) => void][] = [
    ['grew', (file) => appendFileSync(file, 'y')],
    ['was written again', (file) => (writeFileSync(file, 'z'), utimesSync(file, 1, 1))],
    ['became executable', (file) => chmodSync(file, 0o755)],
    ['was replaced by a link', (file) => (rmSync(file), symlinkSync('/etc/hostname', file))],
  ]
  for (const [what, change] of changes) {
    it(`fails to pack a file that ${what} after it was collected`, async function () {
      if (process.platform === 'win32') this.skip()
      write('restart.wpk.yaml', DOCUMENT)
      write('data')
      changeFile = change
      await expectCode(pack(), 'ARCHIVE_INVALID', /data changed/)
    })
  }
})
