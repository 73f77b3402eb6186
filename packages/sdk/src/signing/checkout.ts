import {basename, dirname} from 'node:path'
import {promisify} from 'node:util'
import {documentDigest} from '@atomctl/wpk/canonical'
import type {PackageSource} from '../packing/package-source.ts'

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
export async function readCheckout(source: PackageSource): Promise<Checkout | undefined> {
  const directory = dirname(source.path)
  const commit = (await git(directory, ['rev-parse', '--verify', 'HEAD']))?.trim()
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined
  const [remote, email, dirty] = await Promise.all([
    git(directory, ['config', '--get', 'remote.origin.url']),
    git(directory, ['config', '--get', 'user.email']),
    isDirty(source, directory),
  ])
  return {
    commit,
    dirty,
    ...(remote?.trim() ? {remote: remote.trim()} : {}),
    ...(email?.trim() ? {email: email.trim()} : {}),
  }
}

async function isDirty(source: PackageSource, directory: string): Promise<boolean> {
  const {path, document, files} = source
  const changed = await Promise.all([
    isDocumentChanged(directory, `./${basename(path)}`, document),
    files.length > 0 &&
      areFilesChanged(
        directory,
        basename(path),
        files.map((file) => file.path),
      ),
  ])
  return changed.includes(true)
}

/** Signing writes into the document itself: what counts is what a signature covers. */
async function isDocumentChanged(directory: string, path: string, now: PackageSource['document']): Promise<boolean> {
  const committed = await git(directory, ['show', `HEAD:${path}`])
  if (committed === undefined) return true
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value} = parseYaml(Buffer.from(committed), path)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
  return documentDigest(value) !== documentDigest(now.value)
}

/** Whether a file that is packed is not what was committed, or one that was committed is not packed. */
async function areFilesChanged(directory: string, document: string, packed: readonly string[]): Promise<boolean> {
  const [status, tracked] = await Promise.all([
    git(directory, ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--ignored', '--', '.']),
    git(directory, ['ls-files', '-z', '--', '.']),
  ])
  if (status === undefined || tracked === undefined) return true
  const prefix = ((await git(directory, ['rev-parse', '--show-prefix'])) ?? '').trim()
  const entries = status.split('\0').flatMap((entry) => (entry === '' ? [] : [entry.slice(3)]))
  const known = new Set(tracked.split('\0'))
  const touched = new Set(entries.map((path) => path.slice(prefix.length)))
  return packed.some((path) => path !== document && (touched.has(path) || !known.has(path)))
}

const TIMEOUT_MS = 10_000
/** A checkout is somebody else's: nothing that its configuration names may run. */
const HARMLESS = [
  '--no-optional-locks',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.quotePath=false',
]

/** What git prints; undefined when it fails, whatever the reason. */
async function git(directory: string, args: readonly string[]): Promise<string | undefined> {
  const {execFile} = await import('node:child_process')
  try {
    const options = {cwd: directory, timeout: TIMEOUT_MS, maxBuffer: 16 << 20, encoding: 'utf8'} as const
    return (await promisify(execFile)('git', [...HARMLESS, ...args], options)).stdout
  } catch {
    return undefined
  }
}
