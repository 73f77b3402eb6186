import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {type Environment, loadSources, resolveConfiguration} from '@atomctl/sdk/config'
import {Config, Plugin} from '@oclif/core/config'
import type {Interfaces} from '@oclif/core'
import {assertTrusted} from './admission.ts'
import {assertNoConflict, type Taken, takenBy} from './conflicts.ts'
import {describePlugin, type PluginDescription} from './description.ts'
import {shareHostPackages} from './host-packages.ts'
import {assertUnchanged} from './integrity.ts'
import {packageFolder} from './ledger-path.ts'
import {type ApprovedPlugin, readLedger} from './ledger.ts'
import {loadTrustLists} from './trust-list.ts'

type Options = Exclude<Interfaces.LoadOptions, string | undefined>

/** atomctl with the user's plugins in it, all of them checked first; plain options where there are none. */
export async function loadWithPlugins(options: Options, environment: Environment): Promise<Interfaces.LoadOptions> {
  const approved = await admitPlugins(environment)
  if (approved.length === 0) return options
  const config = await Config.load(options)
  const taken = takenBy(config, sdkVersion(config.root))
  const descriptions = approved.map((plugin) => describePlugin(packageFolder(plugin), plugin.type))
  for (const description of descriptions) assertNoConflict(description, taken, descriptions)
  shareHostPackages(
    approved.map(({root}) => root),
    pathToFileURL(join(config.root, 'package.json')).href,
  )
  for (const [index, plugin] of approved.entries()) {
    const loaded = await loadPlugin(plugin)
    assertAsDescribed(loaded, descriptions[index]!, taken, descriptions)
    config.plugins.set(loaded.name, loaded)
  }
  return config
}

/** The plugins in the ledger, none of which has run yet. @throws PLUGIN_UNTRUSTED, PLUGIN_CHANGED, … */
export async function admitPlugins(environment: Environment): Promise<ApprovedPlugin[]> {
  const approved = readLedger(environment)
  if (approved.length === 0) return []
  const configuration = resolveConfiguration(await loadSources(environment, process.cwd()))
  const lists = await loadTrustLists(configuration, environment)
  for (const plugin of approved) await assertTrusted(plugin, lists)
  await assertUnchanged(approved, environment)
  return approved
}

// oclif looks for a plugin by its name from a folder upwards, and finds others; given as a link it takes the folder.
async function loadPlugin(approved: ApprovedPlugin): Promise<Interfaces.Plugin> {
  const root = packageFolder(approved)
  const plugin = new Plugin({name: approved.name, root, type: 'link'})
  await plugin.load()
  plugin.type = approved.type
  return plugin
}

/** A linked plugin without a manifest shows its commands only now. @throws PLUGIN_CONFLICT */
function assertAsDescribed(
  plugin: Interfaces.Plugin,
  description: PluginDescription,
  taken: Taken,
  others: readonly PluginDescription[],
): void {
  if (description.commands !== undefined) return
  const commands = plugin.commands.flatMap(({id, aliases, hiddenAliases}) => [id, ...aliases, ...(hiddenAliases ?? [])])
  assertNoConflict({...description, commands}, taken, others)
}

/** Version of the SDK that plugins get. */
export function sdkVersion(root: string): string {
  const entry = createRequire(join(root, 'package.json')).resolve('@atomctl/sdk/errors')
  const file = join(dirname(dirname(entry)), 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as {version: string}).version
}
