import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import type {Interfaces} from '@oclif/core'
import {loadOwnPlugin, type Modules} from './own-plugin.ts'
import {ledgerPath} from './plugins/ledger-path.ts'

// They ask about plugins, or ask plugins for something.
const NEED_PLUGINS: ReadonlySet<string> = new Set(['completion', 'doctor', 'plugins', 'run', 'version'])

type LoadOptions = Exclude<Interfaces.LoadOptions, string | undefined>

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
): LoadOptions {
  const plugin = mayStandAlone(argv, environment) ? findOwnPlugin(argv, root, modules) : undefined
  return plugin ? {root, plugins: new Map([[plugin.name, plugin]])} : {root, pjson: readManifest(root)}
}

/**
 * oclif loads of `oclif.plugins` only what is among the dependencies. In the checkout all are devDependencies, because what
 * is published carries them inside (docs/install.md).
 */
function readManifest(root: string): Interfaces.PJSON {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON
  const {plugins = []} = manifest.oclif
  return {...manifest, dependencies: Object.fromEntries(plugins.map((name) => [name, '*']))}
}

function mayStandAlone(argv: readonly string[], environment: Environment): boolean {
  const [command = ''] = argv
  const asksForHelp = argv.includes('--help')
  return /^[a-z]/.test(command) && !asksForHelp && !NEED_PLUGINS.has(command) && !existsSync(ledgerPath(environment))
}

// A topic's command before the topic's own: `config get` is not `config` with an argument.
function findOwnPlugin(argv: readonly string[], root: string, modules: Modules): Interfaces.Plugin | undefined {
  const [topic = '', command = ''] = argv
  const nested = /^[a-z-]+$/.test(command) ? loadOwnPlugin(`${topic}:${command}`, root, modules) : undefined
  return nested ?? loadOwnPlugin(topic, root, modules)
}
