import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Command, Interfaces} from '@oclif/core'

/** What the bundle holds: modules that oclif loads, by their path without the ending, evaluated when called. */
export type Modules = Readonly<Record<string, () => unknown>>

/**
 * atomctl itself as oclif's root plugin, with the one command that is wanted. oclif's own loading reads the manifest of
 * all commands and prepares each, which takes a fifth of a short command; what it would find for this one is here.
 * Undefined when the bundle has no such command.
 */
export function loadOwnPlugin(id: string, root: string, modules: Modules): Interfaces.Plugin | undefined {
  const evaluate =
    modules[`commands/${id.replaceAll(':', '/')}`] ?? modules[`commands/${id.replaceAll(':', '/')}/index`]
  if (!evaluate) return undefined
  const {default: command} = evaluate() as {default: Command.Class}
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON
  const plugin = {...describe(pjson, root), findCommand: async () => command} as unknown as Interfaces.Plugin
  command.id = id
  command.plugin = plugin
  plugin.commands.push(summarize(command))
  return plugin
}

/** What oclif's manifest would say of the command, as far as running it asks. */
function summarize(command: Command.Class): Command.Loadable {
  const {id, args, flags, strict} = command
  const nameless = {aliases: [], hidden: false, hiddenAliases: []}
  const summary = {...nameless, id, args, flags, strict, pluginType: 'core', load: async () => command}
  return summary
}

function describe(pjson: Interfaces.PJSON, root: string): object {
  const hooks = Object.entries(pjson.oclif.hooks ?? {}) as [string, string | string[]][]
  return {
    _base: '',
    alias: pjson.name,
    commandIDs: [],
    commands: [],
    hasManifest: false,
    hooks: Object.fromEntries(
      hooks.map(([event, targets]) => [event, [targets].flat().map((target) => ({identifier: 'default', target}))]),
    ),
    isRoot: true,
    moduleType: 'module',
    name: pjson.name,
    options: {root, isRoot: true},
    pjson,
    root,
    topics: [],
    type: 'core',
    valid: true,
    version: pjson.version,
    load: async () => {},
  }
}
