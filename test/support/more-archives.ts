import {randomBytes} from 'node:crypto'
import {createDeflateRaw, crc32, deflateSync, gzipSync, zstdCompressSync} from 'node:zlib'
import {documentMember} from '@atomctl/wpk/archive'
import {patched, rawHeader, withMember} from '../../packages/wpk/test/archive/attacks.ts'
import {gzip, packed, samplePackage, sampleTar, tarOf} from '../../packages/wpk/test/archive/fixtures.ts'
import {type Attack, bomb, fileWith, isFile} from './archives.ts'

type Case = readonly [title: string, bytes: Promise<Uint8Array> | Uint8Array]

/**
 * Further hostile tarballs around a signed document, beyond what the canonical form's own tests try: paths that aim at
 * `target` (a file outside, which must never come to be), headers that lie, and other containers.
 */
export async function furtherArchives(document: Uint8Array, target: string): Promise<Attack[]> {
  const cases: (readonly [Case, string])[] = [
    ...escapes(document, target).map((one) => [one, 'ARCHIVE_INVALID'] as const),
    ...headers(document).map((one) => [one, 'ARCHIVE_INVALID'] as const),
    ...frames(await sampleTar(document)).map((one) => [one, 'ARCHIVE_INVALID'] as const),
    ...containers(await sampleTar(document)).map((one) => [one, 'WPK_UNREADABLE'] as const),
    ...forgeries(document).map((one) => [one, 'WPK_TAMPERED'] as const),
    ...oversized(document).map((one) => [one, 'ARCHIVE_TOO_LARGE'] as const),
  ]
  return Promise.all(cases.map(async ([[title, bytes], code]) => ({title, bytes: await bytes, code})))
}

function escapes(document: Uint8Array, target: string): Case[] {
  const doc: [{name: string}, string] = [{name: 'wpk.yaml'}, Buffer.from(document).toString()]
  const climbing = `${'../'.repeat(12)}${target.slice(1)}`
  return [
    ['writes to an absolute path', tarOf([[{name: target}, 'x'], doc]).then(gzip)],
    ['climbs to the root and down again', tarOf([[{name: climbing}, 'x'], doc]).then(gzip)],
    [
      'writes through a symbolic link that it brings',
      tarOf([[{name: 'a', type: 'symlink', linkname: '/tmp'}], [{name: 'a/pwned'}, 'x'], doc]).then(gzip),
    ],
    [
      'writes through a link with a climbing target',
      withMember(document, {name: 'z', type: 'symlink', linkname: climbing}),
    ],
    ['climbs by the prefix of a name', patched(document, 345, '../..')],
    ['has a document in another case', tarOf([[{name: 'WPK.YAML'}, 'x'], doc]).then(gzip)],
    ['has a folder in the place of the document', tarOf([[{name: 'wpk.yaml/x'}, 'x']]).then(gzip)],
    ['has a name that ends in a slash', withMember(document, {name: 'z/', type: 'file'}, 'x')],
    ['has a name with an empty part', withMember(document, {name: 'z//x'}, 'x')],
    ['has a name with a line break', withMember(document, {name: 'z\nx'}, 'x')],
    ['has a name with a terminal sequence', withMember(document, {name: 'z\u001b[2J'}, 'x')],
    ['has a name in another script', withMember(document, {name: 'zе'}, 'x')],
    ['has an alternate data stream', withMember(document, {name: 'zz::$DATA'}, 'x')],
    ['is nested without end', withMember(document, {name: `z${'/a'.repeat(45)}`}, 'x')],
  ]
}

function headers(document: Uint8Array): Case[] {
  const size = (text: string | Uint8Array): Promise<Buffer> => patched(document, 124, text)
  return [
    ['claims more bytes than there are', size('00000100000 ')],
    ['has a negative size', size(Buffer.alloc(12, 0xff))],
    ['has a size that is no number', size('0000000008x ')],
    ['has an empty size', size(Buffer.alloc(12))],
    ['has a size in front of blanks', size('5           ')],
    ['overrides a size with a PAX record', withMember(document, {name: 'za', pax: {size: '1'}}, 'x')],
    ['overrides a path with one that climbs', withMember(document, {name: 'za', pax: {path: '../pwned'}}, 'x')],
    ...'SKLDMNVXAxg'
      .split('')
      .map((type): Case => [`has a first member of the type ${type}`, patched(document, 156, type)]),
    ['is written by another user', patched(document, 265, 'root')],
    ['names a link on a file', patched(document, 157, 'scripts/run.sh')],
    ['has a device number', patched(document, 329, '0000010 ')],
    ['is of another ustar version', patched(document, 263, '01')],
  ]
}

function frames(tar: Buffer): Case[] {
  const head = (offset: number, byte: number): Buffer => {
    const bytes = gzip(tar)
    bytes[offset] = byte
    return bytes
  }
  return [
    ['is compressed twice', gzip(gzip(tar))],
    ['is only the header of gzip', gzip(tar).subarray(0, 10)],
    ['is only the magic of gzip', Buffer.from([0x1f, 0x8b])],
    ['is compressed by a method that gzip does not know', head(2, 7)],
    ['says that it is text', head(3, 1)],
    ['has a header checksum', head(3, 2)],
    ['has an extra field', head(3, 4)],
    ['has a comment', head(3, 16)],
    ['has flags nobody knows', head(3, 0xe0)],
    ['holds zlib data', Buffer.concat([gzip(tar).subarray(0, 10), deflateSync(tar), gzip(tar).subarray(-8)])],
    ['is followed by zeros', Buffer.concat([gzip(tar), Buffer.alloc(512)])],
  ]
}

/** What does not begin like gzip is read as a document, and is none. */
function containers(tar: Buffer): Case[] {
  return [
    ['is not compressed', tar],
    ['is compressed by zlib', deflateSync(tar)],
    ['is compressed by zstd', zstdCompressSync(tar)],
    ['is a zip', Buffer.concat([Buffer.from('PK\u0003\u0004'), tar])],
    ['has a byte in front', Buffer.concat([Buffer.from('\n'), gzip(tar)])],
    ['is empty', Buffer.alloc(0)],
    ['is one NUL', Buffer.alloc(1)],
  ]
}

/** Canonical, and not what was signed. */
function forgeries(document: Uint8Array): Case[] {
  const files = samplePackage().filter(isFile)
  const others = files.toReversed()
  const swapped = files.map((file, index) => ({
    ...file,
    open: others[index]?.open ?? file.open,
    size: others[index]?.size ?? 0,
  }))
  const executable = files.map((file) => ({...file, exec: true}))
  const emptied = files.map((file) => fileWith(file.path, ''))
  const own = documentMember(document)
  return [
    ['has two files in the place of each other', packed([own, ...swapped])],
    ['has a file that became executable', packed([own, ...executable])],
    ['has empty files', packed([own, ...emptied])],
    ['has a second document beside the first', packed([own, ...files, fileWith('wpk.yml', String(document))])],
    ['has a second document below it', packed([own, ...files, fileWith('a/wpk.yaml', String(document))])],
  ]
}

function oversized(document: Uint8Array): Case[] {
  const many = Array.from({length: 10_001}, (_, index): [{name: string}, string] => [{name: `f${10_000 + index}`}, ''])
  const doc: [{name: string}, string] = [{name: 'wpk.yaml'}, Buffer.from(document).toString()]
  const long = `${Buffer.from(document).toString()}${'# \n'.repeat(400_000)}`
  return [
    ['claims more bytes than a package may have', patched(document, 124, '77777777777 ')],
    ['has more files than a package may have', tarOf([...many, doc]).then(gzip)],
    ['has a document without end', tarOf([[{name: 'wpk.yaml'}, long]]).then(gzip)],
  ]
}

const MIB = 1 << 20

/** What costs most to find out: bombs, of which the second stays below the accepted expansion for as long as it can. */
export async function bombs(document: Uint8Array): Promise<Attack[]> {
  return [await bomb(document), {title: 'is a slow bomb', bytes: await slowBomb(1100), code: 'ARCHIVE_TOO_LARGE'}]
}

/** A file of so many MiB that shrinks to about a hundredth of it. */
async function slowBomb(mebibytes: number): Promise<Buffer> {
  const block = Buffer.alloc(MIB)
  const noise = MIB / 128
  const deflate = createDeflateRaw({level: 1})
  const compressed = Array.fromAsync(deflate as AsyncIterable<Uint8Array>)
  let checksum = 0
  const write = (chunk: Buffer): Promise<void> => {
    checksum = crc32(chunk, checksum)
    return new Promise((resolve, reject) => deflate.write(chunk, (error) => (error ? reject(error) : resolve())))
  }
  await write(rawHeader('data', mebibytes * MIB, '0'))
  for (let written = 0; written < mebibytes; written++) {
    randomBytes(noise).copy(block)
    await write(block)
  }
  deflate.end()
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(checksum)
  trailer.writeUInt32LE(mebibytes * MIB + 512, 4)
  return Buffer.concat([gzipSync('').subarray(0, 9), Buffer.from([255]), ...(await compressed), trailer])
}
