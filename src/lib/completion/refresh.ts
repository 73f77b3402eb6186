import {mkdir, readdir, rm, stat} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {Candidate, CompletionRequest} from '@atomctl/sdk/completion'
import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import {writeFileSafely} from '@atomctl/sdk/files'
import type {Interfaces} from '@oclif/core'
import {markOf} from '../background.ts'
import {cacheFolder, type Entry, entryPath, type Query, readEntry} from './cache.ts'
import {findCandidates} from './sources.ts'

/** A refresh that takes longer is given up, whatever it waits for (milliseconds). */
const LIMIT = 8000
const KEPT = 24 * 60 * 60_000
const MOST = 5000

/** Finds the values of a query and keeps them for `atomctl __complete`; a failure is kept too, so that it is not repeated at every TAB. */
export async function refreshCandidates(query: Query, atom: AtomContext, config: Interfaces.Config): Promise<void> {
  const path = entryPath(query, {environment: atom.environment, directory: process.cwd(), version: config.version})
  const watchdog = setTimeout(() => process.exit(1), LIMIT)
  try {
    await mkdir(dirname(path), {recursive: true, mode: 0o700})
    await writeFileSafely(path, JSON.stringify(await findEntry(query, path, atom, config)), {mode: 0o600})
    await removeOld(cacheFolder(atom.environment))
  } finally {
    clearTimeout(watchdog)
    await rm(markOf(path), {force: true})
    await atom.close()
  }
}

async function findEntry(query: Query, path: string, atom: AtomContext, config: Interfaces.Config): Promise<Entry> {
  try {
    const found = await (findCandidates(query, atom) ?? askPlugins(query, config))
    return {at: Date.now(), failed: false, candidates: found.slice(0, MOST)}
  } catch (error) {
    // who is not let in any more is not shown what was there
    const refused = isAtomError(error) && (error.code === 'NOT_AUTHENTICATED' || error.code === 'DENIED')
    const before = refused ? undefined : readEntry(path, Date.now())
    return {at: Date.now(), failed: true, candidates: before?.candidates ?? []}
  }
}

async function askPlugins({kind, subject}: Query, config: Interfaces.Config): Promise<Candidate[]> {
  const request: CompletionRequest = {kind, subject}
  const {successes} = await config.runHook('complete', request as never)
  const answers = successes.map(({result}) => result as unknown)
  return answers.flatMap((answer) => (Array.isArray(answer) ? (answer as Candidate[]) : []))
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const {mtimeMs} = await stat(path).catch(() => ({mtimeMs: Date.now()}))
    if (Date.now() - mtimeMs > KEPT) await rm(path, {force: true})
  }
}
