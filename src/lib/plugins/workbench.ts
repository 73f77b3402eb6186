import type {AtomContext} from '@atomctl/sdk/context'
import type {Interfaces} from '@oclif/core'
import {takenBy} from './conflicts.ts'
import type {InstallDependencies} from './install.ts'
import {sdkVersion} from './load.ts'
import {createNpm} from './npm.ts'
import {loadTrustLists} from './trust-list.ts'

/** What installing needs, out of a command's context. @throws NPM_MISSING, PLUGIN_TRUST_INVALID, CONFIG_INVALID */
export async function openWorkbench(
  atom: AtomContext,
  config: Interfaces.Config,
  registry?: string,
): Promise<InstallDependencies> {
  const {environment, configuration, interruption} = atom
  const {parseDuration} = await import('@atomctl/wpk/document')
  const npm = createNpm({
    environment,
    signal: interruption.signal,
    timeout: parseDuration(configuration.text('request_timeout') ?? '') ?? 30_000,
    attempts: Number(configuration.text('retry_attempts') ?? 3),
    registry,
  })
  return {
    environment,
    npm,
    lists: await loadTrustLists(configuration, environment),
    taken: takenBy(config, sdkVersion(config.root)),
  }
}
