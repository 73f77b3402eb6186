import {readdir, rm} from 'node:fs/promises'
import {basename, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Layout} from './layout.ts'
import {identifyProcess} from './process.ts'
import {readRunningState, type ServicesState} from './state.ts'

const PATIENCE_MS = 60_000
const POLL_MS = 30

/** The log of this process's attempt to start the services; that it exists tells others of the attempt. */
export function attemptLogOf({logFile}: Layout): string {
  return `${logFile}.${process.pid}`
}

/**
 * Waits while another `dev up` is at it. The services it started, or undefined when nobody else is, or nobody
 * succeeded.
 */
export async function waitForOther(layout: Layout, signal: AbortSignal): Promise<ServicesState | undefined> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    // in this order: an attempt ends after its state was written
    const isTried = await hasOtherAttempt(layout)
    const state = await readRunningState(layout.stateFile)
    if (state || !isTried || signal.aborted || performance.now() > deadline) return state
    await pause(POLL_MS)
  }
}

/** True while another process tries; what a killed one left behind is removed. */
async function hasOtherAttempt({home, logFile}: Layout): Promise<boolean> {
  const prefix = `${basename(logFile)}.`
  const names = (await readdir(home).catch(() => [])).filter((name) => name.startsWith(prefix))
  let isTried = false
  for (const name of names) {
    const pid = Number(name.slice(prefix.length))
    if (pid === process.pid) continue
    if (Number.isSafeInteger(pid) && (await identifyProcess(pid))) isTried = true
    else await rm(join(home, name), {force: true})
  }
  return isTried
}
