import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import {cacheRoot} from '../cache-root.ts'
import {readJson} from '../completion/inventory.ts'

/** What the last check left: at most one verified version, and why the last one found none. */
export interface UpdateState {
  /** Of which server and signer this is (`sourceOf`). */
  readonly source: string
  /** When it was asked, milliseconds since 1970. */
  readonly at: number
  /** The highest version that a verified listing named. Older listings are refused from then on. */
  readonly version?: string
  readonly failure?: {readonly code: string; readonly message: string}
}

const VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,64})?$/
const MAX_LENGTH = 500

export function statePath(environment: Environment): string {
  return join(cacheRoot(environment), 'update.json')
}

/** The state of this source; undefined when there is none that can be used. */
export function readState(path: string, source: string): UpdateState | undefined {
  const read = readJson(path) as Partial<UpdateState> | null | undefined
  if (read?.source !== source || typeof read.at !== 'number') return undefined
  const {at, version, failure} = read
  return {
    source,
    at,
    ...(typeof version === 'string' && VERSION.test(version) ? {version} : {}),
    ...(typeof failure?.code === 'string' ? {failure: {code: failure.code, message: String(failure.message)}} : {}),
  }
}

/** Replaces the state in one step. */
export async function writeState(path: string, state: UpdateState): Promise<void> {
  const {writeFileSafely} = await import('@atomctl/sdk/files')
  const {failure} = state
  const short = failure && {failure: {...failure, message: failure.message.slice(0, MAX_LENGTH)}}
  await writeFileSafely(path, JSON.stringify({...state, ...short}), {mode: 0o600, directoryMode: 0o700})
}
