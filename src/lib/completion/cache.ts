import {readFileSync, statSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import type {Candidate} from '@atomctl/sdk/completion'
import {type Environment, userConfigurationPath} from '@atomctl/sdk/config'
import {cacheRoot} from '../cache-root.ts'
import {readJson} from './inventory.ts'

/** A list of live values: which, and for which target. */
export interface Query {
  readonly kind: string
  readonly subject: string | undefined
  /** Flags of the command line that choose the target, by name. */
  readonly target: Readonly<Record<string, string>>
}

export interface Surroundings {
  readonly environment: Environment
  readonly directory: string
  readonly version: string
}

/** What was found, and when (milliseconds since 1970). `failed`: nothing was, and the candidates are older. */
export interface Entry {
  readonly at: number
  readonly failed: boolean
  readonly candidates: readonly Candidate[]
}

/** Milliseconds for which an answer counts as new; for what is not named, as long as what it came from is unchanged. */
const FRESH: Readonly<Record<string, number>> = {workflow: 30_000, execution: 5000, step: 5000, tag: 30_000}
const FRESH_OTHERWISE = 60_000
const FRESH_FAILURE = 10_000
const USABLE = 24 * 60 * 60_000
const MAX_BYTES = 4 << 20

/** Whether an answer still counts as new. */
export function isFresh(entry: Entry, kind: string, now: number): boolean {
  const age = now - entry.at
  return age >= 0 && age < (entry.failed ? FRESH_FAILURE : (FRESH[kind] ?? FRESH_OTHERWISE))
}

/** The kept answer; undefined when there is none, or none that can be used any more. */
export function readEntry(path: string, now: number): Entry | undefined {
  if ((modified(path)?.size ?? 0) > MAX_BYTES) return undefined
  const entry = readJson(path) as Partial<Entry> | undefined
  if (typeof entry?.at !== 'number' || !Array.isArray(entry.candidates) || now - entry.at > USABLE) return undefined
  return {at: entry.at, failed: entry.failed === true, candidates: entry.candidates}
}

/** Where the answers lie, in a folder that only its owner reads. */
export function cacheFolder(environment: Environment): string {
  return join(cacheRoot(environment), 'completion')
}

/**
 * The file of one answer. Its name is a digest of everything that decides which server is asked and as whom: the
 * configuration files with their tokens, the variables, the flags. Another target, token or context is another file, and
 * the configuration need not be understood to find it.
 */
export function entryPath({kind, subject, target}: Query, {environment, directory, version}: Surroundings): string {
  // loaded for live values alone: it takes as long as all the rest of an answer
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256')
  const files = [userConfigurationPath(environment), ...projectFiles(directory)].map((path) => [path, contentOf(path)])
  const variables = TARGET_VARIABLES.map((name) => environment[name] ?? null)
  const file = subject === undefined ? undefined : modified(resolve(directory, subject))
  const source = file ? [resolve(directory, subject ?? ''), file.mtimeMs, file.size] : subject
  digest.update(JSON.stringify([version, kind, source ?? null, target, files, variables]))
  return join(cacheFolder(environment), `${digest.digest('hex')}.json`)
}

const TARGET_VARIABLES = [
  'ATOMCTL_AUTH_TOKEN',
  'ATOMCTL_CONTEXT',
  'ATOMCTL_HOME',
  'ATOMCTL_REGISTRY_URL',
  'ATOMCTL_RUNTIME_URL',
]

function projectFiles(directory: string): string[] {
  const paths: string[] = []
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    paths.push(join(folder, '.atomctl.yaml'))
    if (folder === dirname(folder)) return paths
  }
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'base64')
  } catch {
    return null
  }
}

/** When and how large; undefined when it is no file. */
function modified(path: string): {mtimeMs: number; size: number} | undefined {
  try {
    const found = statSync(path)
    return found.isFile() ? {mtimeMs: found.mtimeMs, size: found.size} : undefined
  } catch {
    return undefined
  }
}
