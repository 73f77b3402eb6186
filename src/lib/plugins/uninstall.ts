import {rm} from 'node:fs/promises'
import {dirname} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import {requirePlugin} from './inventory.ts'
import {pluginsFolder} from './ledger-path.ts'
import {type ApprovedPlugin, forgetPlugin} from './ledger.ts'
import {removeTrust} from './trust-edit.ts'

/** Removes a plugin, its files and the rule under its exact name; a linked directory itself stays. @throws NOT_FOUND */
export async function uninstallPlugin(name: string, environment: Environment): Promise<ApprovedPlugin> {
  const plugin = requirePlugin(environment, name)
  await forgetPlugin(environment, name)
  // only what an installation made is removed, whatever the ledger says
  const isOurs = plugin.type === 'user' && dirname(plugin.root) === pluginsFolder(environment)
  if (isOurs) await rm(plugin.root, {recursive: true, force: true})
  await removeTrust(environment, name)
  return plugin
}
