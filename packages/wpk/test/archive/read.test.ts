import {createHash, randomBytes} from 'node:crypto'
import {Readable} from 'node:stream'
import {gzipSync} from 'node:zlib'
import {expect} from 'chai'
import {documentMember, isArchive, readArchive} from '@atomctl/wpk/archive'
import {archiveAttacks, flipped, globalPax, patched} from './attacks.ts'
import {DOCUMENT, expectCode, gzip, member, packed, samplePackage, sampleTar, source} from './fixtures.ts'

describe('reading an archive', () => {
  it('tells the document, every file with its digest, and the digest of the archive itself', async () => {
    const bytes = await packed(samplePackage())
    const contents = await readArchive(source(bytes))
    expect(contents.documentBytes).to.deep.equal(DOCUMENT)
    expect(contents.digest).to.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    expect(contents.size).to.equal(bytes.length)
    expect(contents.files).to.deep.equal([
      {path: 'README.md', size: 5, exec: false, sha256: sha256('# hi\n')},
      {path: 'scripts/run.sh', size: 10, exec: true, sha256: sha256('#!/bin/sh\n')},
    ])
  })

  it('does not depend on how the bytes are cut into chunks', async () => {
    const bytes = await packed(samplePackage())
    const expected = await readArchive(source(bytes))
    const single = (): Readable => Readable.from([...bytes].map((byte) => Buffer.from([byte])))
    expect(await readArchive(single)).to.deep.equal(expected)
  })

  it('accepts the same tar compressed at another level', async () => {
    const again = gzipSync(await sampleTar(), {level: 1})
    expect((await readArchive(source(again))).files).to.have.length(2)
  })

  it('recognises an archive by its first bytes', async () => {
    expect(isArchive(await packed(samplePackage()))).to.equal(true)
    expect(isArchive(DOCUMENT)).to.equal(false)
    expect(isArchive(Buffer.alloc(0))).to.equal(false)
  })

  it('passes on an error of the source', async () => {
    const broken = (): Readable =>
      new Readable({
        read() {
          this.destroy(new Error('connection lost'))
        },
      })
    expect(await readArchive(broken).catch((error: Error) => error.message)).to.equal('connection lost')
  })
})

describe('an archive is refused when it', () => {
  for (const [title, build, message] of archiveAttacks()) {
    it(title, async () => expectCode(readArchive(source(await build())), 'ARCHIVE_INVALID', message))
  }

  const limited: [string, () => Promise<Uint8Array>, object, RegExp][] = [
    ['is larger than allowed', () => packed(samplePackage()), {compressedBytes: 100}, /size of the archive/],
    ['unpacks to more than allowed', () => packed(samplePackage()), {totalBytes: 2048}, /unpacked size/],
    ['has more files than allowed', () => packed(samplePackage()), {files: 2}, /number of files/],
    [
      'has more files than allowed, the document in the middle',
      () => packed([documentMember(DOCUMENT), member('a', ''), member('z', '')]),
      {files: 2},
      /number of files/,
    ],
    ['has a larger file than allowed', () => packed(samplePackage()), {fileBytes: 9}, /scripts\/run\.sh/],
    ['has a larger document than allowed', () => packed(samplePackage()), {documentBytes: 10}, /wpk\.yaml/],
    ['has a size beyond every limit', () => patched(DOCUMENT, 124, '77777777777 '), {}, /README\.md/],
  ]
  for (const [title, build, limits, message] of limited) {
    it(title, async () => expectCode(readArchive(source(await build()), limits), 'ARCHIVE_TOO_LARGE', message))
  }

  it('expands a thousandfold, without the bomb being unpacked', async () => {
    const bomb = await packed([documentMember(DOCUMENT), member('zeros', Buffer.alloc(8 << 20))])
    const limits = {ratioFloor: 1 << 20, ratio: 100}
    await expectCode(readArchive(source(bomb), limits), 'ARCHIVE_TOO_LARGE', /expansion ratio/)
  })

  const endless: [string, () => Promise<Buffer>][] = [
    ['empty blocks', async () => Buffer.alloc(64 << 20)],
    ['empty blocks after its members', async () => Buffer.concat([await sampleTar(), Buffer.alloc(64 << 20)])],
    ['PAX records', async () => Buffer.concat(Array.from({length: 64 << 10}, globalPax))],
  ]
  for (const [what, build] of endless) {
    it(`goes on and on with ${what}`, async () => {
      await expectCode(readArchive(source(gzip(await build()))), 'ARCHIVE_INVALID', /canonical/)
    })
  }

  it('is random data behind a right gzip header', async () => {
    const noise = Buffer.concat([(await packed(samplePackage())).subarray(0, 10), randomBytes(4096)])
    await expectCode(readArchive(source(noise)), 'ARCHIVE_INVALID')
  })

  it('has any single bit flipped outside the content of files', async () => {
    const tar = await sampleTar()
    const content = [
      [512, 517],
      [1536, 1546],
      [2560, 2560 + DOCUMENT.length],
    ] as const
    for (let offset = 0; offset < tar.length; offset += 7) {
      if (content.some(([start, end]) => offset >= start && offset < end)) continue
      await expectCode(readArchive(source(gzip(flipped(tar, offset)))), 'ARCHIVE_INVALID')
    }
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
