import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type {CompletionHints} from '@atomctl/sdk/completion'
import type {Environment} from '@atomctl/sdk/config'
import {ledgerPath, packageFolder} from '../plugins/ledger-path.ts'
import type {ApprovedPlugin} from '../plugins/ledger.ts'

/** A flag or an argument, as oclif's manifest has it. */
export interface Input {
  readonly name: string
  readonly char?: string
  readonly type?: 'boolean' | 'option'
  readonly summary?: string
  readonly description?: string
  readonly hidden?: boolean
  readonly multiple?: boolean
  readonly multipleNonGreedy?: boolean
  readonly allowNo?: boolean
  readonly helpValue?: string
  readonly options?: readonly string[]
  readonly exclusive?: readonly string[]
}

/** A command, as oclif's manifest has it. */
export interface CommandShape {
  readonly id: string
  readonly summary?: string
  readonly description?: string
  readonly hidden?: boolean
  readonly aliases?: readonly string[]
  readonly hiddenAliases?: readonly string[]
  readonly args?: Readonly<Record<string, Input>>
  readonly flags?: Readonly<Record<string, Input>>
  readonly strict?: boolean
  readonly completion?: CompletionHints
}

/** Everything that can be typed, without loading any of it. */
export interface Inventory {
  /** By id and by alias, both with colons. */
  readonly commands: ReadonlyMap<string, CommandShape>
  /** Names under which a command is offered: hidden ones are understood and not shown. */
  readonly shown: ReadonlySet<string>
  readonly topics: ReadonlyMap<string, string>
  /** Names of the plugins a person has installed or linked. */
  readonly plugins: readonly string[]
}

interface Manifest {
  readonly commands?: Readonly<Record<string, CommandShape>>
}

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly oclif?: {
    readonly plugins?: readonly (string | {name?: string; root?: string; type?: string})[]
    readonly topics?: Readonly<Record<string, {description?: string}>>
  }
}

/** Reads the manifests of atomctl, its plugins and those a person installed; one that cannot be read is left out. */
export function readInventory(root: string, environment: Environment): Inventory {
  const commands = new Map<string, CommandShape>()
  const shown = new Set<string>()
  const topics = new Map<string, string>()
  const installed = installedPlugins(environment)
  for (const folder of [root, ...bundledPlugins(root), ...installed.map(({folder}) => folder)]) {
    for (const command of readCommands(folder)) addCommand(command, commands, shown)
    for (const [name, {description}] of Object.entries(readPackage(folder)?.oclif?.topics ?? {}))
      topics.set(name, description ?? '')
  }
  return {commands, shown, topics, plugins: installed.map(({name}) => name)}
}

// The first to bring a command keeps it: no plugin replaces one of atomctl's own.
function addCommand(command: CommandShape, commands: Map<string, CommandShape>, shown: Set<string>): void {
  const names = [command.id, ...(command.aliases ?? [])]
  for (const name of [...names, ...(command.hiddenAliases ?? [])]) {
    if (commands.has(name)) continue
    commands.set(name, command)
    if (!command.hidden && names.includes(name)) shown.add(name)
  }
}

function readCommands(folder: string): CommandShape[] {
  const manifest = readJson(join(folder, 'oclif.manifest.json')) as Manifest | undefined
  return Object.values(manifest?.commands ?? {})
}

const readPackage = (folder: string): PackageJson | undefined =>
  readJson(join(folder, 'package.json')) as PackageJson | undefined

function bundledPlugins(root: string): string[] {
  const names = (readPackage(root)?.oclif?.plugins ?? []).filter((plugin) => typeof plugin === 'string')
  return names.flatMap((name) => findInstalled(name, root) ?? [])
}

/** Node's own way of finding a package, upwards from a folder. */
function findInstalled(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (readPackage(found)) return found
    if (folder === dirname(folder)) return undefined
  }
}

// Nothing of a plugin is run for a TAB, so whether it is trusted need not be asked.
function installedPlugins(environment: Environment): {name: string; folder: string}[] {
  const {plugins} = (readJson(ledgerPath(environment)) ?? {}) as {plugins?: readonly ApprovedPlugin[]}
  return Array.isArray(plugins) ? plugins.map((plugin) => ({name: plugin.name, folder: packageFolder(plugin)})) : []
}

/** The JSON in a file; undefined when there is none. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
