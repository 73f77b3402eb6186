import {installPlugin, type InstallDependencies} from './install.ts'
import {requirePlugin} from './inventory.ts'
import {type ApprovedPlugin, readLedger} from './ledger.ts'
import {readSpecification} from './specification.ts'

/** Installs one plugin, or every installed one, again from where it came. Linked directories stay as they are. */
export async function updatePlugins(
  name: string | undefined,
  trust: boolean,
  dependencies: InstallDependencies,
): Promise<ApprovedPlugin[]> {
  const {environment} = dependencies
  const chosen = name === undefined ? readLedger(environment) : [requirePlugin(environment, name)]
  const updated: ApprovedPlugin[] = []
  for (const {name, type, spec = name} of chosen) {
    if (type === 'link') continue
    const source = readSpecification(spec, '/')
    updated.push(await installPlugin(source, {trust, expected: name}, dependencies))
  }
  return updated
}
