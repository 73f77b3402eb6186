import {AtomError} from '@atomctl/sdk/errors'
import type {Interfaces} from '@oclif/core'
import semver from 'semver'
import type {PluginDescription} from './description.ts'

/** What of atomctl's a plugin may not take the place of. */
export interface Taken {
  /** First words of all commands, aliases and topics. */
  readonly words: ReadonlySet<string>
  /** Names of the packages atomctl is made of. */
  readonly packages: ReadonlySet<string>
  readonly sdk: string
}

/** What atomctl itself occupies, with none of the user's plugins loaded. */
export function takenBy(config: Interfaces.Config, sdk: string): Taken {
  const {name, dependencies = {}, oclif} = config.pjson
  return {
    words: new Set([...config.commandIDs, ...config.topics.map(({name}) => name)].map(firstWord)),
    packages: new Set([name, ...Object.keys(dependencies), ...(oclif.plugins ?? []), ...config.plugins.keys()]),
    sdk,
  }
}

/**
 * Hooks that decide what happens before the signature gate or in place of a command; only atomctl's own run there.
 * `prerun`, `postrun`, `finally`, `complete` and events of a plugin's own are everybody's.
 */
const RESERVED_HOOKS: ReadonlySet<string> = new Set([
  'init',
  'preparse',
  'command_not_found',
  'command_incomplete',
  'jit_plugin_not_installed',
  'preupdate',
  'update',
])

/** @throws PLUGIN_CONFLICT, PLUGIN_INVALID */
export function assertNoConflict(plugin: PluginDescription, taken: Taken, others: readonly PluginDescription[]): void {
  const {name, hooks, topics, commands = [], sdk} = plugin
  if (taken.packages.has(name) || name.startsWith('@atomctl/')) {
    throw conflict(name, `${name} is the name of a part of atomctl`)
  }
  const hook = hooks.find((event) => RESERVED_HOOKS.has(event) || event.startsWith('plugins:'))
  if (hook !== undefined) throw conflict(name, `it wants to answer the hook ${hook}, which is atomctl's alone`)
  const word = [...commands, ...topics].map(firstWord).find((first) => taken.words.has(first))
  if (word !== undefined) throw conflict(name, `its command or topic "${word}" would take the place of atomctl's own`)
  assertNoRival(plugin, others)
  if (sdk !== undefined && semver.validRange(sdk) !== null && !semver.satisfies(taken.sdk, sdk)) {
    throw new AtomError('PLUGIN_INVALID', `${name} wants @atomctl/sdk ${sdk}, this atomctl has ${taken.sdk}`, {
      hint: 'install a version of the plugin for this atomctl, or update atomctl',
    })
  }
}

function assertNoRival({name, commands = []}: PluginDescription, others: readonly PluginDescription[]): void {
  for (const other of others) {
    const id = commands.find((id) => other.name !== name && other.commands?.includes(id))
    if (id !== undefined) throw conflict(name, `its command "${id.replaceAll(':', ' ')}" is also one of ${other.name}`)
  }
}

function firstWord(id: string): string {
  return id.split(/[: ]/)[0] ?? id
}

function conflict(name: string, why: string): AtomError {
  return new AtomError('PLUGIN_CONFLICT', `the plugin ${name} cannot be used: ${why}`, {
    hint: `atomctl plugins uninstall ${name}   # and tell its author`,
  })
}
