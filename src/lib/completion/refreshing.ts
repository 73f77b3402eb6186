import {claim, markOf, modifiedAt, startDetached} from '../background.ts'
import {type Entry, entryPath, isFresh, type Query, readEntry, type Surroundings} from './cache.ts'

/** Milliseconds that somebody who pressed TAB waits for what only a server knows, and for what lies on this machine. */
const PATIENCE_REMOTE = 350
const PATIENCE_LOCAL = 2000
const REMOTE: ReadonlySet<string> = new Set(['execution', 'step', 'tag', 'workflow'])
/** After this a refresh that left its mark behind counts as dead. */
const ABANDONED = 10_000
const POLL = 10

/**
 * The answer to a query: the kept one, renewed behind the back of whoever asked when it is old; without one, what a
 * process of its own finds within a moment. That process goes on when nobody waits any more, so the next TAB has it.
 */
export async function findEntry(query: Query, surroundings: Surroundings): Promise<Entry | undefined> {
  const path = entryPath(query, surroundings)
  const kept = readEntry(path, Date.now())
  if (kept && isFresh(kept, query.kind, Date.now())) return kept
  if (claim(path, ABANDONED)) startRefresh(query, surroundings, path)
  if (kept) return kept
  await settled(path, isRemote(query, surroundings) ? PATIENCE_REMOTE : PATIENCE_LOCAL)
  return readEntry(path, Date.now())
}

function isRemote({kind, subject = ''}: Query, {directory}: Surroundings): boolean {
  if (kind !== 'parameter') return REMOTE.has(kind)
  return !isFile(subject, directory)
}

function isFile(path: string, directory: string): boolean {
  return modifiedAt(path.startsWith('/') ? path : `${directory}/${path}`) !== undefined
}

function startRefresh({kind, subject, target}: Query, {environment, directory}: Surroundings, path: string): void {
  const flags = Object.entries(target).map(([name, value]) => `--${name}=${value}`)
  const words = ['completion', 'refresh', ...flags, '--', kind, ...(subject === undefined ? [] : [subject])]
  startDetached(words, path, {environment: {...environment, ...HURRY}, directory})
}

const HURRY = {ATOMCTL_CONNECT_TIMEOUT: '1s', ATOMCTL_REQUEST_TIMEOUT: '3s', ATOMCTL_RETRY_ATTEMPTS: '1'}

/** Resolves when the refresh is done, or after so many milliseconds. */
async function settled(path: string, patience: number): Promise<void> {
  const end = performance.now() + patience
  while (modifiedAt(markOf(path)) !== undefined && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, POLL))
  }
}
