import {resolve} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import {isAtomError} from '@atomctl/sdk/errors'
import {waitForOther} from './attempts.ts'
import {startDaemon} from './daemon.ts'
import {type Layout, makePrivateDirectory} from './layout.ts'
import {checkPorts} from './listener.ts'
import {readRunningState, type ServicesState} from './state.ts'

export interface StartupPlan {
  readonly layout: Layout
  readonly root: string
  readonly environment: Environment
  readonly registryPort: number
  readonly runtimePort: number
  readonly dataDirectory: string | undefined
  /** A policy other than the user's own. */
  readonly trustPolicyFile: string | undefined
  readonly signal: AbortSignal
}

const HOST = '127.0.0.1'

/**
 * Makes sure the services run. Of several that start at once the lock of the data directory lets one win; the others
 * wait for it. @throws CONFLICT, UNAVAILABLE, INTERRUPTED
 */
export async function ensureServices(plan: StartupPlan): Promise<{state: ServicesState; alreadyRan: boolean}> {
  const running = await readRunningState(plan.layout.stateFile)
  if (running) return {state: running, alreadyRan: true}
  await makePrivateDirectory(plan.layout.home)
  try {
    return {state: await start(plan), alreadyRan: false}
  } catch (error) {
    // A conflict is no failure when another `dev up` is what is in the way.
    const isConflict = isAtomError(error) && error.code === 'CONFLICT'
    const state = isConflict ? await waitForOther(plan.layout, plan.signal) : undefined
    if (!state) throw error
    return {state, alreadyRan: true}
  }
}

async function start(plan: StartupPlan): Promise<ServicesState> {
  const {layout, root, environment, signal} = plan
  await checkPorts(HOST, {registry: plan.registryPort, runtime: plan.runtimePort})
  return startDaemon({layout, root, environment, signal, args: argumentsOf(plan)})
}

function argumentsOf({layout, registryPort, runtimePort, dataDirectory, trustPolicyFile}: StartupPlan): string[] {
  return [
    `--host=${HOST}`,
    `--registry-port=${registryPort}`,
    `--runtime-port=${runtimePort}`,
    `--data-dir=${resolve(dataDirectory ?? layout.dataDirectory)}`,
    `--token-file=${layout.digestFile}`,
    '--single-user',
    ...(trustPolicyFile === undefined ? [] : [`--trust-policy=${trustPolicyFile}`]),
  ]
}
