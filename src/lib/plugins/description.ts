import {existsSync, readFileSync} from 'node:fs'
import {join, posix} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import * as z from 'zod'
import type {ApprovedPlugin} from './ledger.ts'

const hook = z.union([z.string(), z.looseObject({target: z.string()})])
const commands = z.union([z.string(), z.looseObject({target: z.string()})])

const packageFile = z.looseObject({
  name: z.string().min(1),
  version: z.string().min(1),
  dependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
  oclif: z.looseObject({
    commands: commands.optional(),
    hooks: z.record(z.string(), z.union([hook, z.array(hook)])).optional(),
    plugins: z.array(z.string()).optional(),
    topics: z.record(z.string(), z.unknown()).optional(),
  }),
})

const manifestFile = z.looseObject({
  commands: z.record(
    z.string(),
    z.looseObject({
      id: z.string(),
      aliases: z.array(z.string()).optional(),
      hiddenAliases: z.array(z.string()).optional(),
      permutations: z.array(z.string()).optional(),
      aliasPermutations: z.array(z.string()).optional(),
      relativePath: z.array(z.string()).optional(),
    }),
  ),
})

/** What a plugin says it adds, read from its package.json and manifest without running any of it. */
export interface PluginDescription {
  readonly name: string
  readonly version: string
  /** Folder of the package itself, which oclif loads. */
  readonly folder: string
  /** Ids of its commands, with their aliases; undefined for a linked plugin without a manifest, which must be run to know. */
  readonly commands: readonly string[] | undefined
  readonly topics: readonly string[]
  readonly hooks: readonly string[]
  /** The range of `@atomctl/sdk` it was written for. */
  readonly sdk: string | undefined
}

/** @throws PLUGIN_INVALID */
export function describePlugin(folder: string, type: ApprovedPlugin['type']): PluginDescription {
  const pjson = readJson(folder, 'package.json', packageFile)
  const {name, version, oclif, peerDependencies = {}, dependencies = {}} = pjson
  if (oclif.plugins?.length) throw invalid(name, 'it brings plugins of its own (oclif.plugins), which are not loaded')
  const hooks = Object.entries(oclif.hooks ?? {})
  const targets = hooks
    .flatMap(([, value]) => [value].flat())
    .map((value) => (typeof value === 'string' ? value : value.target))
  const target = typeof oclif.commands === 'object' ? oclif.commands.target : oclif.commands
  const outside = [...targets, ...(target === undefined ? [] : [target])].find(leadsOut)
  if (outside !== undefined) throw invalid(name, `${outside} lies outside of it`)
  return {
    name,
    version,
    folder,
    commands: readCommands(folder, name, type, target !== undefined),
    topics: Object.keys(oclif.topics ?? {}),
    hooks: hooks.map(([event]) => event),
    sdk: peerDependencies['@atomctl/sdk'] ?? dependencies['@atomctl/sdk'],
  }
}

function readCommands(folder: string, name: string, type: ApprovedPlugin['type'], has: boolean): string[] | undefined {
  if (!existsSync(join(folder, 'oclif.manifest.json'))) {
    if (!has) return []
    if (type === 'link') return undefined
    throw invalid(name, 'it has no oclif.manifest.json, so its commands are not known before its code runs')
  }
  const {commands} = readJson(folder, 'oclif.manifest.json', manifestFile)
  const outside = Object.values(commands).find(({relativePath = []}) => leadsOut(relativePath.join('/')))
  if (outside) throw invalid(name, `the file of its command ${outside.id} lies outside of it`)
  return Object.entries(commands).flatMap(([key, {id, aliases, hiddenAliases, permutations, aliasPermutations}]) => [
    key,
    id,
    ...[aliases, hiddenAliases, permutations, aliasPermutations].flatMap((names) => names ?? []),
  ])
}

function leadsOut(path: string): boolean {
  const normal = posix.normalize(path.replaceAll('\\', '/'))
  return normal.startsWith('..') || posix.isAbsolute(normal) || /^[A-Za-z]:/.test(normal)
}

function readJson<T>(folder: string, file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? `${cause.issues[0]?.path.join('.')}: ${cause.issues[0]?.message}`
        : String((cause as Error).message)
    throw new AtomError('PLUGIN_INVALID', `${join(folder, file)} is not that of an oclif plugin: ${why}`, {cause})
  }
}

function invalid(name: string, why: string): AtomError {
  return new AtomError('PLUGIN_INVALID', `${name} cannot be a plugin of atomctl: ${why}`, {
    hint: 'tell its author; docs/plugins.md says what a plugin looks like',
  })
}
