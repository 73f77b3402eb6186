import {DOCUMENT, gzip, packed, samplePackage, sampleTar, tarOf} from './fixtures.ts'

/** What it does, the bytes, and what the refusal says. */
export type ArchiveAttack = readonly [title: string, build: () => Promise<Uint8Array>, message?: RegExp]

/**
 * What an attacker, or another tool, might write instead of the sample package with this document. Every one of them is
 * no canonical archive, whatever the document's signature says.
 */
export function archiveAttacks(document: Uint8Array = DOCUMENT): ArchiveAttack[] {
  const doc = documentEntry(document)
  return [
    ['is empty', async () => Buffer.alloc(0), /not a gzip/],
    ['is no gzip at all', async () => document, /not a gzip/],
    ['holds no members', async () => gzip(Buffer.alloc(1024)), /no wpk\.yaml/],
    ['holds nothing, not even the end blocks', async () => gzip(Buffer.alloc(0)), /no wpk\.yaml|not/],
    ['holds no document', async () => gzip(await tarOf([[{name: 'README.md'}, 'x']])), /no wpk\.yaml/],
    [
      'holds a symbolic link',
      () => withMember(document, {name: 'zl', type: 'symlink', linkname: '/etc/passwd'}),
      /symlink/,
    ],
    ['holds a hard link', () => withMember(document, {name: 'zl', type: 'link', linkname: 'wpk.yaml'}), /type link/],
    ['holds a directory', () => withMember(document, {name: 'zd', type: 'directory'}), /directory/],
    [
      'holds a character device',
      () => withMember(document, {name: 'zdev', type: 'character-device'}),
      /character-device/,
    ],
    ['holds a block device', () => withMember(document, {name: 'zdev', type: 'block-device'}), /block-device/],
    ['holds a FIFO', () => withMember(document, {name: 'zpipe', type: 'fifo'}), /fifo/],
    ['holds a contiguous file', () => withMember(document, {name: 'zc', type: 'contiguous-file'}, 'x'), /contiguous/],
    ['holds a member of unknown type', () => patched(document, 156, 'Z')],
    ['holds a file of the old type NUL', () => patched(document, 156, '\0')],
    ['renames a member with a PAX record', () => withMember(document, {name: 'za', pax: {path: 'zb'}}, 'x')],
    ['has a harmless PAX record', () => withMember(document, {name: 'za', pax: {comment: 'hello'}}, 'x')],
    ['has a global PAX header', async () => gzip(Buffer.concat([globalPax(), await sampleTar(document)]))],
    ['has a GNU long name', async () => gzip(Buffer.concat([gnuLongName(), await sampleTar(document)]))],
    ['has the same member twice', async () => gzip(await tarOf([doc, doc])), /twice/],
    ['has its members out of order', async () => gzip(await tarOf([doc, [{name: 'a'}, 'x']])), /out of order/],
    [
      'has names that differ only in case',
      async () => gzip(await tarOf([[{name: 'A'}, ''], [{name: 'a'}, ''], doc])),
      /collides/,
    ],
    [
      'has a file where a directory has to be',
      async () => gzip(await tarOf([[{name: 'a'}, ''], [{name: 'a/b'}, ''], doc])),
      /collides/,
    ],
    ['climbs out with ..', () => withMember(document, {name: 'z/../../x'}, 'x'), /".."/],
    ['names an absolute path', async () => gzip(await tarOf([[{name: '/x'}, 'x'], doc])), /absolute/],
    ['starts a name with ./', async () => gzip(await tarOf([[{name: './x'}, 'x'], doc])), /"\."/],
    ['uses a backslash', () => withMember(document, {name: 'z\\x'}, 'x'), /backslash/],
    ['uses a drive letter', () => withMember(document, {name: 'z:x'}, 'x'), /portable/],
    [
      'brings a repository of git, whose configuration names programs',
      async () => gzip(await tarOf([[{name: 'a/.git/config'}, '[core]'], doc])),
      /"a\/\.git\/config" is a repository of git/,
    ],
    [
      'brings one under its short name on Windows',
      async () => gzip(await tarOf([[{name: 'GIT~1/config'}, '[core]'], doc])),
      /repository of git/,
    ],
    [
      'brings a repository of Mercurial, whose hooks are programs',
      async () => gzip(await tarOf([[{name: '.hg/hgrc'}, '[hooks]'], doc])),
      /"\.hg\/hgrc" is a repository of git, Mercurial/,
    ],
    ['uses a name that Windows reserves', async () => gzip(await tarOf([[{name: 'con'}, 'x'], doc])), /reserves/],
    ['uses a control character', () => withMember(document, {name: 'z\u0007'}, 'x'), /portable/],
    ['hides bytes after the NUL of a name', () => patched(document, 20, 'evil')],
    [
      'has an executable document',
      async () => gzip(await tarOf([[{name: 'wpk.yaml', mode: 0o755}, 'x']])),
      /executable/,
    ],
    ['has a set-user-id bit', () => patched(document, 100, '0004644 ')],
    ['is group-writable', () => patched(document, 100, '000664 ')],
    ['names an owner', () => withMember(document, {name: 'za', uid: 1000}, 'x')],
    ['names a group in words', () => withMember(document, {name: 'za', gname: 'wheel'}, 'x')],
    ['has another time in one member', () => withMember(document, {name: 'za', mtime: new Date(1000)}, 'x'), /time/],
    ['spells a number in another way', () => patched(document, 124, '00000000005\0')],
    ['gives a size in base-256', () => patched(document, 124, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]))],
    ['has a wrong header checksum', async () => gzip(withBytes(await sampleTar(document), 148, '000000'))],
    ['is in GNU format', () => patched(document, 257, 'ustar  \0')],
    ['is in v7 format', () => patched(document, 257, Buffer.alloc(8))],
    ['hides bytes in the padding of a file', async () => gzip(withBytes(await sampleTar(document), 512 + 100, 'evil'))],
    ['hides bytes in the unused end of a header', () => patched(document, 505, 'evil')],
    ['has no end blocks', async () => gzip((await sampleTar(document)).subarray(0, -1024))],
    ['has one end block', async () => gzip((await sampleTar(document)).subarray(0, -512))],
    ['has a third end block', async () => gzip(Buffer.concat([await sampleTar(document), Buffer.alloc(512)]))],
    [
      'is padded to 10 KiB as tar does',
      async () => gzip(Buffer.concat([await sampleTar(document), Buffer.alloc(4096)])),
    ],
    [
      'has another member after the end blocks',
      async () => gzip(Buffer.concat([await sampleTar(document), await sampleTar(document)])),
    ],
    [
      'has text after the end blocks',
      async () => gzip(Buffer.concat([await sampleTar(document), Buffer.alloc(512, 'A')])),
    ],
    ['ends inside a file', async () => gzip((await sampleTar(document)).subarray(0, 512 + 3))],
    ['ends inside a header', async () => gzip((await sampleTar(document)).subarray(0, 1024 + 100))],
    [
      'has bytes after the gzip member',
      async () => Buffer.concat([await packed(samplePackage(document)), Buffer.from('x')]),
      /1 bytes follow/,
    ],
    [
      'has a second gzip member',
      async () => Buffer.concat([await packed(samplePackage(document)), gzip(document)]),
      /bytes follow/,
    ],
    [
      'has an empty second gzip member',
      async () => Buffer.concat([await packed(samplePackage(document)), gzip(Buffer.alloc(0))]),
      /bytes follow/,
    ],
    [
      'is spread over two gzip members',
      async () => {
        const tar = await sampleTar(document)
        return Buffer.concat([gzip(tar.subarray(0, 1000)), gzip(tar.subarray(1000))])
      },
    ],
    ['is truncated', async () => (await packed(samplePackage(document))).subarray(0, -9), /truncated/],
    ['lacks the last byte', async () => (await packed(samplePackage(document))).subarray(0, -1), /truncated/],
    ['has a wrong CRC', async () => flipped(await packed(samplePackage(document)), -8), /checksum/],
    ['has a wrong length in the trailer', async () => flipped(await packed(samplePackage(document)), -1), /checksum/],
    ['has damaged compressed data', async () => flipped(await packed(samplePackage(document)), 30)],
    [
      'carries a file name in the gzip header',
      async () => withName(await packed(samplePackage(document))),
      /gzip header/,
    ],
    ['carries a time in the gzip header', async () => flipped(await packed(samplePackage(document)), 4), /gzip header/],
  ]
}

function documentEntry(document: Uint8Array): [{name: string}, string] {
  return [{name: 'wpk.yaml'}, Buffer.from(document).toString()]
}

/** The document and one more member behind it. */
export async function withMember(
  document: Uint8Array,
  header: Parameters<typeof tarOf>[0][0][0],
  content?: string,
): Promise<Buffer> {
  return gzip(await tarOf([documentEntry(document), content === undefined ? [header] : [header, content]]))
}

/** The sample with bytes of its first header replaced and the header's checksum made right again. */
export async function patched(document: Uint8Array, offset: number, bytes: string | Uint8Array): Promise<Buffer> {
  const tar = withBytes(await sampleTar(document), offset, bytes)
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

export function flipped(bytes: Buffer, offset: number): Buffer {
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

export function globalPax(): Buffer {
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

/** One ustar header, whatever it claims. */
export function rawHeader(name: string, size: number, type: string): Buffer {
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
