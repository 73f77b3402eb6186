import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {gunzipSync} from 'node:zlib'
import {expect} from 'chai'
import fc from 'fast-check'
import {digestFiles, documentMember, packArchive, type PackageFile, readArchive} from '@atomctl/wpk/archive'
import {DOCUMENT, bytesOf, expectCode, member, packed, samplePackage, source} from './fixtures.ts'

describe('packing an archive', () => {
  it('gives the same bytes on every run and for every order of the files', async () => {
    const bytes = await packed(samplePackage())
    expect(await packed(samplePackage().reverse())).to.deep.equal(bytes)
  })

  it('gives the same bytes however the content is cut into chunks', async () => {
    const content = Buffer.concat(Array.from({length: 5000}, (_, index) => Buffer.from(`line ${index % 97}\n`)))
    const cut = (length: number): PackageFile => {
      const count = Math.ceil(content.length / length)
      const chunks = Array.from({length: count}, (_, index) => content.subarray(index * length, (index + 1) * length))
      return {...member('data', content), open: () => Readable.from(chunks, {objectMode: false})}
    }
    const expected = await packed([documentMember(DOCUMENT), cut(content.length)])
    for (const length of [1, 511, 4096, 16_385]) {
      expect((await packed([documentMember(DOCUMENT), cut(length)])).equals(expected)).to.equal(true)
    }
  })

  it('writes exactly these tar bytes, which archives that exist depend on', async () => {
    const tar = gunzipSync(await packed(samplePackage()))
    expect(createHash('sha256').update(tar).digest('hex')).to.equal(GOLDEN_TAR)
  })

  it('writes a gzip header without time, name and operating system', async () => {
    const bytes = await packed(samplePackage())
    expect(bytes.subarray(0, 10).toString('hex')).to.equal('1f8b08000000000000ff')
  })

  it('takes the time of the members from SOURCE_DATE_EPOCH, and such an archive can be read', async () => {
    const bytes = await packed(samplePackage(), {sourceDateEpoch: 1_700_000_000})
    expect(gunzipSync(bytes).toString('latin1', 136, 147)).to.equal((1_700_000_000).toString(8))
    expect((await readArchive(source(bytes))).files).to.have.length(2)
  })

  it('packs files so that reading gives them back', async () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,12}$/)
    const file = fc.record({content: fc.uint8Array({maxLength: 2000}), exec: fc.boolean()})
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, file, {maxKeys: 6}), async (files) => {
        const members = Object.entries(files).map(([path, {content, exec}]) => member(`d/${path}`, content, exec))
        const contents = await readArchive(source(await packed([documentMember(DOCUMENT), ...members])))
        const digests = await digestFiles(members)
        const expected = digests.map(({path, size, exec, sha256}) => ({path, size, exec, sha256}))
        expect(contents.files).to.deep.equal(expected.sort((left, right) => (left.path < right.path ? -1 : 1)))
        expect(contents.documentBytes).to.deep.equal(DOCUMENT)
      }),
      {numRuns: 25},
    )
  })

  it('packs a path as long as ustar can hold and refuses one character more', async () => {
    const longest = `${'p'.repeat(155)}/${'n'.repeat(100)}`
    const {files} = await readArchive(source(await packed([documentMember(DOCUMENT), member(longest, 'x')])))
    expect(files.map(({path}) => path)).to.deep.equal([longest])
    expect(() => packArchive([documentMember(DOCUMENT), member(`${longest}n`, 'x')])).to.throw(/too long/)
  })

  it('refuses a package without its document', () => {
    expect(() => packArchive([member('README.md', 'x')])).to.throw(/no wpk\.yaml/)
  })

  it('refuses an executable document', () => {
    expect(() => packArchive([member('wpk.yaml', 'x', true)])).to.throw(/must not be executable/)
  })

  it('refuses a SOURCE_DATE_EPOCH that is not whole seconds', () => {
    for (const sourceDateEpoch of [-1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => packArchive(samplePackage(), {sourceDateEpoch})).to.throw(/SOURCE_DATE_EPOCH/)
    }
  })

  const REFUSED_PATHS: [string, string][] = [
    ['an empty path', ''],
    ['an absolute path', '/etc/passwd'],
    ['a parent segment', 'a/../../b'],
    ['a leading parent segment', '../b'],
    ['a current-directory segment', './a'],
    ['an empty segment', 'a//b'],
    ['a trailing slash', 'a/'],
    ['a backslash', 'a\\b'],
    ['a drive letter', 'C:/a'],
    ['a NUL', 'a\0b'],
    ['a newline', 'a\nb'],
    ['an escape character', 'a\u001b[2Jb'],
    ['a non-ASCII character', 'résumé.md'],
    ['a name that Windows reserves', 'docs/aux.txt'],
    ['a name that Windows reserves in capitals', 'NUL'],
    ['a segment ending in a dot', 'a./b'],
    ['a segment ending in a space', 'a /b'],
    ['a wildcard', 'a*'],
    ['more levels than any package needs', 'a/'.repeat(16) + 'a'],
  ]
  for (const [what, path] of REFUSED_PATHS) {
    it(`refuses ${what}`, async () => {
      const pack = async (): Promise<Buffer> => packed([...samplePackage(), member(path, 'x')])
      await expectCode(pack(), 'ARCHIVE_INVALID')
    })
  }

  const COLLISIONS: [string, string[]][] = [
    ['the same path twice', ['a', 'a']],
    ['paths that differ only in case', ['Readme.txt', 'README.txt']],
    ['a second document in capitals', ['WPK.YAML']],
    ['directories that differ only in case', ['Dir/a', 'dir/b']],
    ['a file where a directory has to be', ['a', 'a/b']],
  ]
  for (const [what, paths] of COLLISIONS) {
    it(`refuses ${what}`, () => {
      const files = [documentMember(DOCUMENT), ...paths.map((path) => member(path, 'x'))]
      expect(() => packArchive(files)).to.throw(/collides/)
    })
  }

  const announced = (size: number, content: string): PackageFile => ({
    ...member('data', content),
    size,
    open: () => Readable.from([Buffer.from(content)]),
  })

  it('fails when a file is shorter than it was when collected', async () => {
    await expectCode(packed([documentMember(DOCUMENT), announced(5, 'four')]), 'ARCHIVE_INVALID', /data changed/)
  })

  it('fails when a file is longer than it was when collected', async () => {
    await expectCode(packed([documentMember(DOCUMENT), announced(3, 'four')]), 'ARCHIVE_INVALID', /data changed/)
  })

  it('fails when a file has other bytes than the ones that were digested', async () => {
    const [digested] = await digestFiles([member('data', 'good')])
    const swapped = {...digested, open: () => Readable.from([Buffer.from('evil')])} as PackageFile
    await expectCode(packed([documentMember(DOCUMENT), swapped]), 'ARCHIVE_INVALID', /data changed/)
  })

  it('passes on the error of a file that cannot be read', async () => {
    const open = (): Readable => new Readable({read: fail})
    function fail(this: Readable): void {
      this.destroy(new Error('disk on fire'))
    }
    const work = packed([documentMember(DOCUMENT), {path: 'data', size: 4, exec: false, open}])
    expect(await work.catch((error: Error) => error.message)).to.equal('disk on fire')
  })

  it('refuses what no reader would accept: too many files, too large a file, too large a document', async () => {
    const limits = {files: 2, fileBytes: 1000, documentBytes: 1000}
    const pack = async (files: PackageFile[]): Promise<Buffer> => bytesOf(packArchive(files, {limits}))
    await expectCode(pack(samplePackage()), 'ARCHIVE_TOO_LARGE', /number of files/)
    await expectCode(pack([documentMember(DOCUMENT), member('a', 'x'.repeat(1001))]), 'ARCHIVE_TOO_LARGE', /size of a/)
    await expectCode(pack([documentMember(Buffer.alloc(1001))]), 'ARCHIVE_TOO_LARGE', /size of wpk\.yaml/)
  })

  it('stops reading the files when the reader of the archive goes away', async () => {
    const closed = Promise.withResolvers<void>()
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(64 * 1024, Math.random().toString())
      } finally {
        closed.resolve()
      }
    }
    const file = {path: 'data', size: 2 ** 29, exec: false, open: () => Readable.from(endless(), {objectMode: false})}
    for await (const _ of packArchive([documentMember(DOCUMENT), file])) break
    await closed.promise
  })
})

const GOLDEN_TAR = '67031f4aa43f3153ad8b16c70b345d749112f393fb8ab6833ada3f1498854f9a'
