import {realpathSync} from 'node:fs'
import {AtomError} from '@atomctl/sdk/errors'
import {inputFailure} from '@atomctl/sdk/files'
import {assertTrusted} from './admission.ts'
import {assertNoConflict} from './conflicts.ts'
import {describePlugin} from './description.ts'
import {describeInstalled, type InstallDependencies} from './install.ts'
import {type ApprovedPlugin, readLedger, recordPlugin} from './ledger.ts'
import {addTrust} from './trust-edit.ts'

/**
 * Links a directory that its author works in. Its content is not pinned, so the user's list must name exactly it.
 * @throws PLUGIN_UNTRUSTED, PLUGIN_CONFLICT, PLUGIN_INVALID, INPUT_MISSING
 */
export async function linkPlugin(
  directory: string,
  trust: boolean,
  {environment, lists, taken}: Omit<InstallDependencies, 'npm'>,
): Promise<ApprovedPlugin> {
  const root = realDirectory(directory)
  const description = describePlugin(root, 'link')
  const {name, version} = description
  const installed = readLedger(environment).find((plugin) => plugin.name === name && plugin.type === 'user')
  if (installed) {
    throw new AtomError('PLUGIN_CONFLICT', `the plugin ${name} is installed`, {
      hint: `atomctl plugins uninstall ${name}`,
    })
  }
  const rule = {name, link: root}
  const future = trust ? lists.map((list) => (list.own ? {...list, rules: [rule, ...list.rules]} : list)) : lists
  const candidate: ApprovedPlugin = {name, version, type: 'link', root, signers: []}
  await assertTrusted(candidate, future)
  assertNoConflict(description, taken, describeInstalled(environment))
  if (trust) await addTrust(environment, rule)
  await recordPlugin(environment, candidate)
  return candidate
}

function realDirectory(directory: string): string {
  try {
    return realpathSync(directory)
  } catch (error) {
    throw inputFailure(directory, error)
  }
}
