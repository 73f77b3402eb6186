import {type Environment, loadSources, resolveConfiguration} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {assertTrusted} from './admission.ts'
import {assertNoConflict, type Taken} from './conflicts.ts'
import {describePlugin, type PluginDescription} from './description.ts'
import {assertUnchanged} from './integrity.ts'
import {packageFolder} from './ledger-path.ts'
import {type ApprovedPlugin, readLedger} from './ledger.ts'
import {loadTrustLists} from './trust-list.ts'

/** An installed plugin as `plugins` shows it. */
export interface PluginStatus extends ApprovedPlugin {
  /** `trusted`, or the code of why atomctl refuses to load it. */
  status: string
  /** Why, when it is refused. */
  reason?: string
  commands?: string[]
  hooks?: string[]
}

/** Every installed plugin and whether it would be loaded, without running any. @throws PLUGIN_TRUST_INVALID */
export async function listPlugins(environment: Environment, taken: Taken): Promise<PluginStatus[]> {
  const approved = readLedger(environment)
  const described: PluginDescription[] = []
  const result: PluginStatus[] = []
  for (const plugin of approved) result.push(await judge(plugin, environment, taken, described))
  return result
}

async function judge(
  plugin: ApprovedPlugin,
  environment: Environment,
  taken: Taken,
  others: PluginDescription[],
): Promise<PluginStatus> {
  try {
    const configuration = resolveConfiguration(await loadSources(environment, process.cwd()))
    await assertTrusted(plugin, await loadTrustLists(configuration, environment))
    await assertUnchanged([plugin], environment)
    const description = describePlugin(packageFolder(plugin), plugin.type)
    assertNoConflict(description, taken, others)
    others.push(description)
    const {commands, hooks} = description
    const names = commands && [...new Set(commands)].map((id) => id.replaceAll(':', ' '))
    return {...plugin, status: 'trusted', hooks: [...hooks], ...(names ? {commands: names} : {})}
  } catch (error) {
    const {code, message} = error as {code?: string; message: string}
    return {...plugin, status: code ?? 'INTERNAL', reason: message}
  }
}

/** @throws NOT_FOUND */
export function requirePlugin(environment: Environment, name: string): ApprovedPlugin {
  const found = readLedger(environment).find((plugin) => plugin.name === name)
  if (found) return found
  throw new AtomError('NOT_FOUND', `no plugin ${name} is installed`, {hint: 'atomctl plugins'})
}
