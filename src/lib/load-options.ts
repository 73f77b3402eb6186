import {existsSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import type {Interfaces} from '@oclif/core'
import {loadOwnPlugin, type Modules} from './own-plugin.ts'

// They ask about plugins, or ask plugins for something.
const NEED_PLUGINS: ReadonlySet<string> = new Set(['completion', 'doctor', 'run', 'version'])

/**
 * How oclif is to be loaded for this command line. One of our own commands needs no other plugin, and finding and
 * reading them takes a third of its start; as soon as somebody has installed a plugin, all are loaded, because its
 * hooks may want to see every command.
 */
export function loadOptionsFor(
  argv: readonly string[],
  root: string,
  environment: Environment,
  modules: Modules = {},
): Interfaces.LoadOptions {
  const plugin = mayStandAlone(argv, environment) ? findOwnPlugin(argv, root, modules) : undefined
  return plugin ? {root, plugins: new Map([[plugin.name, plugin]])} : {root}
}

function mayStandAlone(argv: readonly string[], environment: Environment): boolean {
  const [command = ''] = argv
  const asksForHelp = argv.includes('--help')
  return /^[a-z]/.test(command) && !asksForHelp && !NEED_PLUGINS.has(command) && !hasInstalledPlugins(environment)
}

// A topic's command before the topic's own: `config get` is not `config` with an argument.
function findOwnPlugin(argv: readonly string[], root: string, modules: Modules): Interfaces.Plugin | undefined {
  const [topic = '', command = ''] = argv
  const nested = /^[a-z-]+$/.test(command) ? loadOwnPlugin(`${topic}:${command}`, root, modules) : undefined
  return nested ?? loadOwnPlugin(topic, root, modules)
}

function hasInstalledPlugins(environment: Environment): boolean {
  return existsSync(installedPluginsFile(environment))
}

/** Where oclif's plugin-plugins keeps its list. */
function installedPluginsFile(environment: Environment): string {
  const base = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local', 'share')
  return join(environment['ATOMCTL_DATA_DIR'] || join(base, 'atomctl'), 'package.json')
}
