import {createHash, randomBytes} from 'node:crypto'
import {Readable} from 'node:stream'
import {gzipSync} from 'node:zlib'
import {expect} from 'chai'
import {documentMember, isArchive, readArchive} from '@atomctl/wpk/archive'
import {DOCUMENT, expectCode, gzip, member, packed, samplePackage, sampleTar, source, tarOf} from './fixtures.ts'

const DOC = [{name: 'wpk.yaml'}, DOCUMENT.toString()] as [{name: string}, string]

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

/** What an attacker, or another tool, might write instead; each must be refused. */
describe('an archive is refused when it', () => {
  const attacks: [string, () => Promise<Uint8Array>, RegExp?][] = [
    ['is empty', async () => Buffer.alloc(0), /not a gzip/],
    ['is no gzip at all', async () => DOCUMENT, /not a gzip/],
    ['holds no members', async () => gzip(Buffer.alloc(1024)), /no wpk\.yaml/],
    ['holds nothing, not even the end blocks', async () => gzip(Buffer.alloc(0)), /no wpk\.yaml|not/],
    ['holds no document', async () => gzip(await tarOf([[{name: 'README.md'}, 'x']])), /no wpk\.yaml/],
    ['holds a symbolic link', () => withMember({name: 'zl', type: 'symlink', linkname: '/etc/passwd'}), /symlink/],
    ['holds a hard link', () => withMember({name: 'zl', type: 'link', linkname: 'wpk.yaml'}), /type link/],
    ['holds a directory', () => withMember({name: 'zd', type: 'directory'}), /directory/],
    ['holds a character device', () => withMember({name: 'zdev', type: 'character-device'}), /character-device/],
    ['holds a block device', () => withMember({name: 'zdev', type: 'block-device'}), /block-device/],
    ['holds a FIFO', () => withMember({name: 'zpipe', type: 'fifo'}), /fifo/],
    ['holds a contiguous file', () => withMember({name: 'zc', type: 'contiguous-file'}, 'x'), /contiguous/],
    ['holds a member of unknown type', () => patched(156, 'Z')],
    ['holds a file of the old type NUL', () => patched(156, '\0')],
    ['renames a member with a PAX record', () => withMember({name: 'za', pax: {path: 'zb'}}, 'x')],
    ['has a harmless PAX record', () => withMember({name: 'za', pax: {comment: 'hello'}}, 'x')],
    ['has a global PAX header', async () => gzip(Buffer.concat([globalPax(), await sampleTar()]))],
    ['has a GNU long name', async () => gzip(Buffer.concat([gnuLongName(), await sampleTar()]))],
    ['has the same member twice', async () => gzip(await tarOf([DOC, DOC])), /twice/],
    ['has its members out of order', async () => gzip(await tarOf([DOC, [{name: 'a'}, 'x']])), /out of order/],
    [
      'has names that differ only in case',
      async () => gzip(await tarOf([[{name: 'A'}, ''], [{name: 'a'}, ''], DOC])),
      /collides/,
    ],
    [
      'has a file where a directory has to be',
      async () => gzip(await tarOf([[{name: 'a'}, ''], [{name: 'a/b'}, ''], DOC])),
      /collides/,
    ],
    ['climbs out with ..', () => withMember({name: 'z/../../x'}, 'x'), /".."/],
    ['names an absolute path', async () => gzip(await tarOf([[{name: '/x'}, 'x'], DOC])), /absolute/],
    ['starts a name with ./', async () => gzip(await tarOf([[{name: './x'}, 'x'], DOC])), /"\."/],
    ['uses a backslash', () => withMember({name: 'z\\x'}, 'x'), /backslash/],
    ['uses a drive letter', () => withMember({name: 'z:x'}, 'x'), /portable/],
    ['uses a name that Windows reserves', async () => gzip(await tarOf([[{name: 'con'}, 'x'], DOC])), /reserves/],
    ['uses a control character', () => withMember({name: 'z\u0007'}, 'x'), /portable/],
    ['hides bytes after the NUL of a name', () => patched(20, 'evil')],
    [
      'has an executable document',
      async () => gzip(await tarOf([[{name: 'wpk.yaml', mode: 0o755}, 'x']])),
      /executable/,
    ],
    ['has a set-user-id bit', () => patched(100, '0004644 ')],
    ['is group-writable', () => patched(100, '000664 ')],
    ['names an owner', () => withMember({name: 'za', uid: 1000}, 'x')],
    ['names a group in words', () => withMember({name: 'za', gname: 'wheel'}, 'x')],
    ['has another time in one member', () => withMember({name: 'za', mtime: new Date(1000)}, 'x'), /time/],
    ['spells a number in another way', () => patched(124, '00000000005\0')],
    ['gives a size in base-256', () => patched(124, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]))],
    ['has a wrong header checksum', async () => gzip(withBytes(await sampleTar(), 148, '000000'))],
    ['is in GNU format', () => patched(257, 'ustar  \0')],
    ['is in v7 format', () => patched(257, Buffer.alloc(8))],
    ['hides bytes in the padding of a file', async () => gzip(withBytes(await sampleTar(), 512 + 100, 'evil'))],
    ['hides bytes in the unused end of a header', () => patched(505, 'evil')],
    ['has no end blocks', async () => gzip((await sampleTar()).subarray(0, -1024))],
    ['has one end block', async () => gzip((await sampleTar()).subarray(0, -512))],
    ['has a third end block', async () => gzip(Buffer.concat([await sampleTar(), Buffer.alloc(512)]))],
    ['is padded to 10 KiB as tar does', async () => gzip(Buffer.concat([await sampleTar(), Buffer.alloc(4096)]))],
    [
      'has another member after the end blocks',
      async () => gzip(Buffer.concat([await sampleTar(), await sampleTar()])),
    ],
    ['has text after the end blocks', async () => gzip(Buffer.concat([await sampleTar(), Buffer.alloc(512, 'A')]))],
    ['ends inside a file', async () => gzip((await sampleTar()).subarray(0, 512 + 3))],
    ['ends inside a header', async () => gzip((await sampleTar()).subarray(0, 1024 + 100))],
    [
      'has bytes after the gzip member',
      async () => Buffer.concat([await packed(samplePackage()), Buffer.from('x')]),
      /1 bytes follow/,
    ],
    [
      'has a second gzip member',
      async () => Buffer.concat([await packed(samplePackage()), gzip(DOCUMENT)]),
      /bytes follow/,
    ],
    [
      'has an empty second gzip member',
      async () => Buffer.concat([await packed(samplePackage()), gzip(Buffer.alloc(0))]),
      /bytes follow/,
    ],
    [
      'is spread over two gzip members',
      async () => {
        const tar = await sampleTar()
        return Buffer.concat([gzip(tar.subarray(0, 1000)), gzip(tar.subarray(1000))])
      },
    ],
    ['is truncated', async () => (await packed(samplePackage())).subarray(0, -9), /truncated/],
    ['lacks the last byte', async () => (await packed(samplePackage())).subarray(0, -1), /truncated/],
    ['has a wrong CRC', async () => flipped(await packed(samplePackage()), -8), /checksum/],
    ['has a wrong length in the trailer', async () => flipped(await packed(samplePackage()), -1), /checksum/],
    ['has damaged compressed data', async () => flipped(await packed(samplePackage()), 30)],
    ['carries a file name in the gzip header', async () => withName(await packed(samplePackage())), /gzip header/],
    ['carries a time in the gzip header', async () => flipped(await packed(samplePackage()), 4), /gzip header/],
  ]
  for (const [title, build, message] of attacks) {
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
    ['has a size beyond every limit', () => patched(124, '77777777777 '), {}, /README\.md/],
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

async function withMember(header: Parameters<typeof tarOf>[0][0][0], content?: string): Promise<Buffer> {
  return gzip(await tarOf([DOC, content === undefined ? [header] : [header, content]]))
}

/** The sample with bytes of its first header replaced and the header's checksum made right again. */
async function patched(offset: number, bytes: string | Uint8Array): Promise<Buffer> {
  const tar = withBytes(await sampleTar(), offset, bytes)
  tar.write('        ', 148)
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  tar.write(`${sum.toString(8).padStart(6, '0')} \0`, 148)
  return gzip(tar)
}

function withBytes(tar: Buffer, offset: number, bytes: string | Uint8Array): Buffer {
  const changed = Buffer.from(tar)
  changed.set(Buffer.from(bytes), offset)
  return changed
}

function flipped(bytes: Buffer, offset: number): Buffer {
  const changed = Buffer.from(bytes)
  const index = offset < 0 ? changed.length + offset : offset
  changed[index] = (changed[index] ?? 0) ^ 1
  return changed
}

function withName(bytes: Buffer): Buffer {
  const head = Buffer.from(bytes.subarray(0, 10))
  head[3] = 8
  return Buffer.concat([head, Buffer.from('evil\0'), bytes.subarray(10)])
}

function globalPax(): Buffer {
  const record = '16 comment=evil\n'
  return Buffer.concat([rawHeader('pax_global_header', record.length, 'g'), padded(record)])
}

function gnuLongName(): Buffer {
  return Buffer.concat([rawHeader('././@LongLink', 5, 'L'), padded('evil\0')])
}

function padded(text: string): Buffer {
  const block = Buffer.alloc(512)
  block.write(text)
  return block
}

function rawHeader(name: string, size: number, type: string): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(['000644 ', '000000 ', '000000 ', ''].join('\0'), 100)
  header.write(`${size.toString(8).padStart(11, '0')} 00000000000 `, 124)
  header.write('        ', 148)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')} \0`, 148)
  return header
}
