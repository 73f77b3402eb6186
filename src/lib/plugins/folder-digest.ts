import {createHash} from 'node:crypto'
import {type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {join, relative, resolve, sep} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'

const MAX_FILES = 50_000
const MAX_BYTES = 512 * 1024 * 1024

interface FoundFile {
  /** Relative, with forward slashes. */
  readonly path: string
  readonly absolute: string
  readonly info: BigIntStats
}

/**
 * sha512 over the names, executable bits and bytes of everything below a folder, dependencies included.
 * @throws PLUGIN_INVALID for a link that leads out of the folder, a device, or far too much; ENOENT
 */
export function digestFolder(root: string): string {
  const total = createHash('sha512')
  for (const {path, absolute, info} of listFolder(root)) {
    if (info.isSymbolicLink()) total.update(`link\0${path}\0${readlinkSync(absolute)}\n`)
    else total.update(`file\0${path}\0${info.mode & 0o111n ? 'x' : '-'}\0${digestOf(readFileSync(absolute))}\n`)
  }
  return `sha512-${total.digest('base64')}`
}

/**
 * What the file system says of the same files without reading them: sizes, times, inodes. The time of the last change of
 * the inode is in it, which no program can set back the way it can the time of modification.
 */
export function stampFolder(root: string): string {
  const total = createHash('sha256')
  for (const {path, info} of listFolder(root)) {
    total.update(`${path}\0${info.mode}\0${info.size}\0${info.mtimeNs}\0${info.ctimeNs}\0${info.ino}\n`)
  }
  return total.digest('hex')
}

function listFolder(root: string): FoundFile[] {
  const found: FoundFile[] = []
  const folders = [root]
  let bytes = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(folder, {withFileTypes: true})) {
      const absolute = join(folder, entry.name)
      if (entry.isDirectory()) {
        folders.push(absolute)
        continue
      }
      const info = lstatSync(absolute, {bigint: true})
      const path = relative(root, absolute).split(sep).join('/')
      if (info.isSymbolicLink()) assertInside(root, folder, path, absolute)
      else if (!info.isFile()) throw unusable(`${path} is neither a file nor a link`)
      bytes += Number(info.size)
      if (found.push({path, absolute, info}) > MAX_FILES || bytes > MAX_BYTES) throw unusable('it is far too large')
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function assertInside(root: string, folder: string, path: string, absolute: string): void {
  const target = resolve(folder, readlinkSync(absolute))
  if (!target.startsWith(root + sep)) throw unusable(`${path} is a link that leads out of the plugin`)
}

function unusable(why: string): AtomError {
  return new AtomError('PLUGIN_INVALID', `the plugin's files cannot be checked: ${why}`, {
    hint: 'atomctl plugins uninstall NAME',
  })
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('base64')
}
