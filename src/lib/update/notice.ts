import {writeFileSync} from 'node:fs'
import {createStyle, wantsColour} from '@atomctl/sdk/output'
import {claim, modifiedAt, startDetached} from '../background.ts'
import type {CurrentRun} from '../current-run.ts'
import {isOffered} from './listing.ts'
import {sourceOf, switchedOffBy, updateSettings} from './settings.ts'
import {readState, statePath} from './state.ts'

const DAY = 24 * 60 * 60_000
/** After this a check that left its mark behind counts as dead. */
const ABANDONED = 60_000

/**
 * Tells, once a day, of a version that an earlier check verified, and starts a check when the last one is a day old: a
 * process of its own, that nobody waits for. This one reads one small file and opens no socket.
 */
export function mentionUpdate({atom, version}: CurrentRun): void {
  const {configuration, environment} = atom
  const settings = updateSettings(configuration)
  if (!settings || switchedOffBy(configuration, environment) !== undefined) return
  const path = statePath(environment)
  const state = readState(path, sourceOf(settings))
  const shown = `${path}.shown`
  if (state?.version !== undefined && isOffered(state.version, version) && isOld(modifiedAt(shown))) {
    const {strong} = createStyle(wantsColour(undefined, environment, process.stderr))
    const line = `atomctl ${strong(state.version)} is available; this is ${version}. atomctl version --check says where.`
    process.stderr.write(`\n${line}\n`)
    writeFileSync(shown, '')
  }
  if (isOld(state?.at) && claim(path, ABANDONED)) {
    startDetached(['version', 'refresh'], path, {environment: {...environment, ...HURRY}, directory: process.cwd()})
  }
}

const HURRY = {ATOMCTL_CONNECT_TIMEOUT: '3s', ATOMCTL_REQUEST_TIMEOUT: '10s', ATOMCTL_RETRY_ATTEMPTS: '1'}

// a time in the future is a clock that was wrong
function isOld(at: number | undefined): boolean {
  const age = at === undefined ? DAY : Date.now() - at
  return age >= DAY || age < 0
}
