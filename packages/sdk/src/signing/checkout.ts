import {basename, dirname, resolve} from 'node:path'
import {documentDigest} from '@atomctl/wpk/canonical'
import type {Environment} from '../config/index.ts'
import type {PackageSource} from '../packing/package-source.ts'
import {areFilesChanged} from './committed.ts'
import {askGit, askGitForLine, type Git} from './git.ts'

/** What git knows about the place a package lies in. */
export interface Checkout {
  readonly commit: string
  /** Whether a file of the package differs from that commit; the signature of the document does not count. */
  readonly dirty: boolean
  /** URL of the remote `origin`, as it is configured. */
  readonly remote?: string
  readonly email?: string
}

/** Undefined outside a git checkout, before its first commit, and where there is no git. */
export async function readCheckout(source: PackageSource, environment: Environment): Promise<Checkout | undefined> {
  const git: Git = {directory: dirname(resolve(source.path)), environment}
  const commit = await askGitForLine(git, ['rev-parse', '--verify', 'HEAD'])
  if (commit === undefined || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return undefined
  const [remote, email, dirty] = await Promise.all([
    askGitForLine(git, ['config', '--get', 'remote.origin.url']),
    askGitForLine(git, ['config', '--get', 'user.email']),
    isDirty(git, commit, source),
  ])
  return {commit, dirty, ...(remote === undefined ? {} : {remote}), ...(email === undefined ? {} : {email})}
}

async function isDirty(git: Git, commit: string, source: PackageSource): Promise<boolean> {
  const {path, document, files, isDirectory} = source
  const name = basename(path)
  const changed = await Promise.all([
    isDocumentChanged(git, `${commit}:./${name}`, document),
    isDirectory && areFilesChanged(git, commit, {files, document: name}),
  ])
  return changed.includes(true)
}

/** Signing writes into the document itself: what counts is what a signature covers. */
async function isDocumentChanged(git: Git, object: string, now: PackageSource['document']): Promise<boolean> {
  const committed = await askGit(git, ['cat-file', 'blob', object])
  if (committed === undefined) return true
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value} = parseYaml(committed, object)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
  return documentDigest(value) !== documentDigest(now.value)
}
