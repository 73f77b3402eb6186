import {createReadStream, createWriteStream} from 'node:fs'
import {mkdir, readdir, rm, stat, writeFile} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {pipeline} from 'node:stream/promises'
import type {PackageSource} from '@atomctl/protocol/packages'
import {extractArchive, type ArchiveContents} from '@atomctl/wpk/archive'
import {documentDigest} from '@atomctl/wpk/canonical'
import {loadDocument} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import type {VerifiedDocument} from '@atomctl/wpk/trust'

export type SignedFiles = VerifiedDocument['verification']['files']

export interface PackageNeeds {
  /** The name of its directory: the execution's id, or that of one of its rollbacks. */
  readonly directory: string
  readonly workflowId: string
  readonly documentDigest: string
  readonly files: SignedFiles
}

/**
 * Directories of executions: `<id>/package` is where handlers run, with the package's files when the signature lists
 * any, and `<id>/ready` says that it is complete, so that a restarted execution finds what its steps left there.
 */
export class Workspace {
  readonly #root: string
  readonly #packages: PackageSource | undefined

  constructor(root: string, packages: PackageSource | undefined) {
    this.#root = resolve(root)
    this.#packages = packages
  }

  /** Throws ARCHIVE_INVALID or WPK_TAMPERED when the stored package is not what was signed. */
  async prepare(needs: PackageNeeds, signal: AbortSignal): Promise<string> {
    const base = join(this.#root, needs.directory)
    const directory = join(base, 'package')
    if (await exists(join(base, 'ready'))) return directory
    await rm(base, {recursive: true, force: true})
    await mkdir(base, {recursive: true, mode: 0o700})
    if (needs.files.length > 0) await this.#extract(needs, base, directory, signal)
    else await mkdir(directory)
    await writeFile(join(base, 'ready'), '')
    return directory
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#root, name), {recursive: true, force: true, maxRetries: 3})
  }

  /** Executions that have a directory. */
  async list(): Promise<string[]> {
    await mkdir(this.#root, {recursive: true, mode: 0o700})
    return (await readdir(this.#root)).filter((name) => /^[0-9a-f-]{36}(\.rollback\.\d+)?$/.test(name))
  }

  async #extract(needs: PackageNeeds, base: string, directory: string, signal: AbortSignal): Promise<void> {
    const stored = await this.#packages?.open(needs.workflowId)
    if (!stored) throw new AtomError('ARCHIVE_INVALID', `the registry has no package ${needs.workflowId}`)
    const archive = join(base, 'archive')
    await pipeline(stored.chunks, createWriteStream(archive, {mode: 0o600}), {signal})
    checkContents(needs, await extractArchive(() => createReadStream(archive), directory))
    await rm(archive)
  }
}

/** The archive must hold the document that was admitted and exactly the files that its signature lists. */
function checkContents(needs: PackageNeeds, contents: ArchiveContents): void {
  const document = loadDocument(contents.documentBytes, needs.workflowId)
  if (documentDigest(document.value) !== needs.documentDigest)
    throw new AtomError('WPK_TAMPERED', `the stored package ${needs.workflowId} holds another document`)
  const listed = new Map(needs.files.map((file) => [file.path, file]))
  const differing = contents.files.find(({path, sha256, exec}) => {
    const file = listed.get(path)
    return file?.sha256 !== sha256 || file.exec !== exec
  })
  if (differing) throw new AtomError('WPK_TAMPERED', `${differing.path} is not the file that was signed`)
  if (contents.files.length !== listed.size)
    throw new AtomError('WPK_TAMPERED', 'files that the signature lists are missing from the stored package')
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
