import {constants, type Stats} from 'node:fs'
import {lstat, open, readdir, readFile, stat} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {Readable} from 'node:stream'
import {AtomError} from '../errors.ts'
import {type ArchiveLimits, checkLimit, limitsOf} from './limits.ts'
import type {PackageFile} from './members.ts'
import {changedFile} from './pack.ts'
import {checkPath, comparePaths, DOCUMENT_NAME, PathSet} from './paths.ts'

/** What a package is made of before it is packed. */
export interface CollectedPackage {
  /** The document and the file it was read from. */
  readonly document: {readonly path: string; readonly bytes: Uint8Array}
  /** The further files, sorted by path; the document is not among them (see `documentMember`). */
  readonly files: readonly PackageFile[]
  /** Paths below the directory that stay out: version control, tests, earlier archives and their bundles. */
  readonly skipped: readonly string[]
}

const SKIPPED = /^(\.git|\.hg|\.svn|\.bzr|CVS|\.jj|\.DS_Store)$|\.wpk\.tar\.gz(\.sigstore\.json)?$|\.wpktest\.ya?ml$/
/** Whether a file of this name never goes into a package, wherever it lies. */
export const isLeftOut = (name: string): boolean => SKIPPED.test(name)

/** Windows has no such flag; there, links are still refused by lstat. */
const NO_FOLLOW = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)
const PRIVATE_KEY = /^-----BEGIN [A-Z ]*PRIVATE KEY-----/

/**
 * Collects a package from a document FILE alone, or from a DIRECTORY that holds exactly one `*.wpk.yaml` (or a
 * `wpk.yaml`) at its top plus the files of the package. Throws ARCHIVE_INVALID for links, devices, private keys and
 * paths that no reader would accept, ARCHIVE_TOO_LARGE above the limits; file system errors pass through.
 */
export async function collectFiles(
  fileOrDirectory: string,
  limits?: Partial<ArchiveLimits>,
): Promise<CollectedPackage> {
  const bounds = limitsOf(limits)
  const named = await stat(fileOrDirectory)
  if (named.isFile()) return {document: await readDocumentFile(fileOrDirectory, named, bounds), files: [], skipped: []}
  if (!named.isDirectory()) throw notRegular(fileOrDirectory)
  const document = await findDocument(fileOrDirectory)
  const found = new Collection(fileOrDirectory, basename(document), bounds)
  await found.addDirectory('')
  return {document: await readDocumentFile(document, await lstat(document), bounds), ...found.result()}
}

async function readDocumentFile(
  path: string,
  stats: Stats,
  limits: ArchiveLimits,
): Promise<CollectedPackage['document']> {
  if (!stats.isFile()) throw notRegular(path)
  checkLimit(`size of ${path} in bytes`, stats.size, limits.documentBytes)
  return {path, bytes: await readFile(path)}
}

async function findDocument(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name === DOCUMENT_NAME || name.endsWith('.wpk.yaml'))
  const [name] = names
  if (name !== undefined && names.length === 1) return join(directory, name)
  const found = names.length === 0 ? 'no *.wpk.yaml' : `${names.length} of them: ${names.sort().join(', ')}`
  throw new AtomError('ARCHIVE_INVALID', `${directory} must hold exactly one *.wpk.yaml; it holds ${found}`, {
    hint: 'name the file instead of the directory, or keep one package per directory',
  })
}

/** The files found below one directory. */
class Collection {
  readonly #root: string
  readonly #document: string
  readonly #limits: ArchiveLimits
  readonly #paths = new PathSet()
  readonly #files: PackageFile[] = []
  readonly #skipped: string[] = []
  #total = 0

  constructor(root: string, document: string, limits: ArchiveLimits) {
    this.#root = root
    this.#document = document
    this.#limits = limits
    this.#paths.add(DOCUMENT_NAME)
  }

  result(): Pick<CollectedPackage, 'files' | 'skipped'> {
    const files = this.#files.sort((left, right) => comparePaths(left.path, right.path))
    return {files, skipped: this.#skipped.sort()}
  }

  async addDirectory(prefix: string): Promise<void> {
    for (const name of await readdir(join(this.#root, prefix))) {
      const path = prefix === '' ? name : `${prefix}/${name}`
      if (path === this.#document) continue
      if (isLeftOut(name)) this.#skipped.push(path)
      else await this.#add(path)
    }
  }

  async #add(path: string): Promise<void> {
    const file = join(this.#root, path)
    const stats = await lstat(file)
    checkPath(path)
    if (stats.isDirectory()) return this.addDirectory(path)
    if (!stats.isFile()) throw notRegular(file)
    await refusePrivateKey(file)
    this.#count(path, stats.size)
    const exec = (stats.mode & 0o111) !== 0
    const openFile = (): Readable => Readable.from(readUnchanged(file, path, stats), {objectMode: false})
    this.#files.push({path, size: stats.size, exec, open: openFile})
  }

  #count(path: string, size: number): void {
    this.#paths.add(path)
    this.#total += size
    checkLimit(`size of ${path} in bytes`, size, this.#limits.fileBytes)
    checkLimit('size of the package in bytes', this.#total, this.#limits.totalBytes)
    checkLimit('number of files in the package', this.#files.length + 2, this.#limits.files)
  }
}

/** A package is published; a signing key lying beside the document must not go with it. */
async function refusePrivateKey(file: string): Promise<void> {
  const handle = await open(file, NO_FOLLOW)
  try {
    const {buffer, bytesRead} = await handle.read(Buffer.alloc(64), 0, 64, 0)
    if (!PRIVATE_KEY.test(buffer.toString('latin1', 0, bytesRead))) return
  } finally {
    await handle.close()
  }
  throw new AtomError('ARCHIVE_INVALID', `${file} is a private key; it must not be packed`, {
    hint: `mv ${file} ${join(dirname(file), '..')}`,
  })
}

/** The file's bytes, failing when it is not the file, or not the state of it, that was collected. */
async function* readUnchanged(file: string, path: string, seen: Stats): AsyncGenerator<Uint8Array> {
  const handle = await open(file, NO_FOLLOW).catch((cause: unknown) => {
    throw changedFile(path, cause)
  })
  try {
    if (!isSameState(await handle.stat(), seen)) throw changedFile(path)
    yield* handle.createReadStream({autoClose: false}) as AsyncIterable<Uint8Array>
    if (!isSameState(await handle.stat(), seen)) throw changedFile(path)
  } finally {
    await handle.close()
  }
}

function isSameState(now: Stats, seen: Stats): boolean {
  return now.ino === seen.ino && now.size === seen.size && now.mtimeMs === seen.mtimeMs && now.mode === seen.mode
}

function notRegular(path: string): AtomError {
  return new AtomError('ARCHIVE_INVALID', `${path} is neither a regular file nor a directory`, {
    hint: 'replace links by the files they point to',
    details: {path},
  })
}
