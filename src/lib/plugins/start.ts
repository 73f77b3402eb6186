import {existsSync} from 'node:fs'
import type {Environment} from '@atomctl/sdk/config'
import {reportOf} from '@atomctl/sdk/errors'
import type {Interfaces} from '@oclif/core'
import {ledgerPath} from './ledger-path.ts'

/** They put plugins or the configuration right, so no code of a plugin runs with them. */
const NEVER_WITH_PLUGINS: ReadonlySet<string> = new Set(['plugins', 'doctor', 'config', 'context'])
/** They do without where a plugin is refused. */
const WORK_WITHOUT: ReadonlySet<string> = new Set(['help', 'version', 'explain', 'completion', 'autocomplete'])

/**
 * How oclif is to be loaded with the user's plugins: each is checked before any of its code is read. oclif's own list of
 * user plugins is never used. Where nothing is installed, nothing is loaded here either.
 * @throws PLUGIN_UNTRUSTED, PLUGIN_CHANGED, PLUGIN_CONFLICT, PLUGIN_INVALID, PLUGIN_TRUST_INVALID, CONFIG_INVALID
 */
export async function withInstalledPlugins(
  argv: readonly string[],
  options: Exclude<Interfaces.LoadOptions, string | undefined>,
  environment: Environment,
): Promise<Interfaces.LoadOptions> {
  const own = {...options, userPlugins: false}
  if (!existsSync(ledgerPath(environment))) return own
  const [first = ''] = argv
  const command = first.split(':')[0] ?? ''
  if (NEVER_WITH_PLUGINS.has(command) && !argv.includes('--help')) return own
  try {
    const {loadWithPlugins} = await import('./load.ts')
    return await loadWithPlugins(own, environment)
  } catch (error) {
    if (!doesWithout(argv, command)) throw error
    if (!command.startsWith('_')) process.stderr.write(`[WARNING] Plugins are left out: ${reportOf(error).message}\n`)
    return own
  }
}

// `__complete` answers a TAB: it prints nothing but candidates.
function doesWithout(argv: readonly string[], command: string): boolean {
  return command === '' || /^[-_]/.test(command) || WORK_WITHOUT.has(command) || argv.includes('--help')
}
