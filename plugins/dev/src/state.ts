import {readFile, rm} from 'node:fs/promises'
import {writeFileSafely} from '@atomctl/sdk/files'
import * as z from 'zod'
import {identifyProcess, isAlive} from './process.ts'

const servicesState = z.object({
  pid: z.number().int().positive(),
  started: z.string().nullable(),
  boot: z.string().nullable(),
  registry_url: z.string(),
  runtime_url: z.string(),
  data_directory: z.string(),
  version: z.string(),
  ready_at: z.string(),
})

/** What running services say about themselves. */
export type ServicesState = z.infer<typeof servicesState>

/** Records that this process serves. */
export async function writeState(
  file: string,
  facts: Omit<ServicesState, 'pid' | 'started' | 'boot' | 'ready_at'>,
): Promise<void> {
  const self = (await identifyProcess(process.pid)) ?? {pid: process.pid, started: null, boot: null}
  const state: ServicesState = {...self, ...facts, ready_at: new Date().toISOString()}
  await writeFileSafely(file, `${JSON.stringify(state, undefined, 2)}\n`, {mode: 0o600, directoryMode: 0o700})
}

/** The state of services that run now. A file that a crash left behind, or cut off, means that none do. */
export async function readRunningState(file: string): Promise<ServicesState | undefined> {
  const state = await readState(file)
  return state && (await isAlive(state)) ? state : undefined
}

/** Removes the file if it still describes this process, or one that is gone. */
export async function removeState(file: string, pid: number): Promise<void> {
  const state = await readState(file)
  if (state === undefined || state.pid === pid || !(await isAlive(state))) await rm(file, {force: true})
}

async function readState(file: string): Promise<ServicesState | undefined> {
  try {
    return servicesState.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}
