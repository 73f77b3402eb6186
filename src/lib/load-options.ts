import {existsSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import {Plugin} from '@oclif/core/config'
import type {Interfaces} from '@oclif/core'

// They ask about plugins, or ask plugins for something.
const NEED_PLUGINS: ReadonlySet<string> = new Set(['doctor', 'run', 'version'])

/**
 * How oclif is to be loaded for this command line. One of our own commands needs no other plugin, and finding and
 * reading them takes a fifth of its start; as soon as somebody has installed a plugin, all are loaded, because its
 * hooks may want to see every command.
 */
export async function loadOptionsFor(
  argv: readonly string[],
  root: string,
  environment: Environment,
): Promise<Interfaces.LoadOptions> {
  if (!mayStandAlone(argv, environment)) return {root}
  const plugin = new Plugin({isRoot: true, root})
  await plugin.load()
  return isOwnCommand(argv, plugin) ? {root, plugins: new Map([[plugin.name, plugin]])} : {root}
}

function mayStandAlone(argv: readonly string[], environment: Environment): boolean {
  const [command = ''] = argv
  return /^[a-z]/.test(command) && !NEED_PLUGINS.has(command) && !existsSync(installedPluginsFile(environment))
}

function isOwnCommand(argv: readonly string[], plugin: Interfaces.Plugin): boolean {
  if (argv.includes('--help')) return false
  const [topic = '', command = ''] = argv
  return plugin.commands.some(({id}) => id === topic || id === `${topic}:${command}`)
}

/** Where oclif's plugin-plugins keeps its list. */
function installedPluginsFile(environment: Environment): string {
  const base = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local', 'share')
  return join(environment['ATOMCTL_DATA_DIR'] || join(base, 'atomctl'), 'package.json')
}
