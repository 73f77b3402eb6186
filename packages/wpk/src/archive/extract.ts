import {constants} from 'node:fs'
import {type FileHandle, lstat, mkdir, open, readdir, rmdir, unlink} from 'node:fs/promises'
import {join} from 'node:path'
import type {Readable} from 'node:stream'
import {AtomError} from '../errors.ts'
import {type ArchiveLimits, limitsOf} from './limits.ts'
import {type ArchiveContents, walkArchive} from './read.ts'
import type {MemberSink} from './walk.ts'

/**
 * Reads an archive as `readArchive` does and writes its members below `directory`, which must be absent or empty.
 * Nothing outside is touched and no link is followed; after a failure nothing that was written is left.
 * Throws what `readArchive` throws, and ARCHIVE_INVALID when the directory is not empty.
 */
export async function extractArchive(
  source: () => Readable,
  directory: string,
  limits?: Partial<ArchiveLimits>,
): Promise<ArchiveContents> {
  const target = await Target.open(directory)
  try {
    return await walkArchive(source, limitsOf(limits), (member) => target.create(member.path, member.exec))
  } catch (error) {
    await target.remove()
    throw error
  }
}

const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)

/** A directory being filled, which remembers what it made: only its own files and directories, never anyone else's. */
class Target {
  readonly #root: string
  readonly #ownsRoot: boolean
  readonly #directories = new Set<string>()
  readonly #files: string[] = []

  private constructor(root: string, ownsRoot: boolean) {
    this.#root = root
    this.#ownsRoot = ownsRoot
  }

  static async open(directory: string): Promise<Target> {
    const existing = await lstat(directory).catch(ignoreMissing)
    if (!existing) {
      await mkdir(directory, {recursive: true})
      return new Target(directory, true)
    }
    if (existing.isDirectory() && (await readdir(directory)).length === 0) return new Target(directory, false)
    throw new AtomError('ARCHIVE_INVALID', `${directory} is not an empty directory`, {
      hint: 'name a directory that does not exist yet',
    })
  }

  async create(path: string, exec: boolean): Promise<MemberSink> {
    await this.#makeParents(path)
    const file = join(this.#root, path)
    const handle = await open(file, CREATE, exec ? 0o755 : 0o644)
    this.#files.push(file)
    return new FileSink(handle)
  }

  /** A directory that this run did not make is refused (EEXIST): it could be a link that someone slipped in. */
  async #makeParents(path: string): Promise<void> {
    const segments = path.split('/').slice(0, -1)
    for (const depth of segments.keys()) {
      const directory = join(this.#root, ...segments.slice(0, depth + 1))
      if (this.#directories.has(directory)) continue
      await mkdir(directory)
      this.#directories.add(directory)
    }
  }

  async remove(): Promise<void> {
    for (const file of this.#files) await unlink(file).catch(ignoreForeign)
    for (const directory of [...this.#directories].reverse()) await rmdir(directory).catch(ignoreForeign)
    if (this.#ownsRoot) await rmdir(this.#root).catch(ignoreForeign)
  }
}

class FileSink implements MemberSink {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#handle.writeFile(chunk)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

/** What is gone already is fine, and so is a directory that holds what someone else put there. */
function ignoreForeign(error: NodeJS.ErrnoException): void {
  if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(error.code ?? '')) throw error
}
