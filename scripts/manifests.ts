import {existsSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {runTool} from './process.ts'
import {listFiles, listRooms, ROOT} from './rooms.ts'

const MANIFEST = 'oclif.manifest.json'

/** Folders that have an oclif manifest: every plugin of ours, and the root. */
export function manifestFolders(): string[] {
  const plugins = listRooms().filter((room) => room.name.startsWith('plugins/'))
  return [...plugins.map((room) => dirname(room.sources)), ROOT].filter(hasCommands)
}

function hasCommands(folder: string): boolean {
  return ['.js', '.cjs'].some((suffix) => listFiles(join(folder, 'lib', 'commands'), suffix).length > 0)
}

/**
 * Writes the manifests that are older than any room's last compilation. `oclif manifest PATH` removes the manifest of
 * the current folder whatever PATH says, so each one is made from inside its own folder.
 */
export async function writeManifests(): Promise<void> {
  const compiled = lastCompilation()
  const stale = manifestFolders().filter((folder) => modifiedAt(join(folder, MANIFEST)) < compiled)
  const codes = await Promise.all(stale.map(writeManifest))
  if (codes.some((code) => code !== 0)) throw new Error('oclif could not read the commands')
}

async function writeManifest(folder: string): Promise<number> {
  const code = await runTool('oclif', 'oclif', ['manifest'], {cwd: folder, stdio: ['ignore', 'ignore', 'inherit']})
  if (code === 0) sortCommands(join(folder, MANIFEST))
  return code
}

/** oclif writes the commands as its directory search happens to find them: the same sources would give other bytes. */
function sortCommands(file: string): void {
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {commands: Record<string, unknown>}
  const commands = Object.entries(manifest.commands).toSorted(([left], [right]) => (left < right ? -1 : 1))
  writeFileSync(file, JSON.stringify({...manifest, commands: Object.fromEntries(commands)}, undefined, 2))
}

/** The time of the newest build information or package.json, in milliseconds. */
function lastCompilation(): number {
  const records = listRooms().flatMap((room) => [
    join(room.output, '.tsbuildinfo'),
    join(room.sources, '..', 'package.json'),
  ])
  return Math.max(...records.map(modifiedAt))
}

function modifiedAt(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}

export interface ManifestCommand {
  readonly id: string
  readonly summary?: string
  readonly description?: string
  readonly hidden?: boolean
  readonly aliases: readonly string[]
  readonly examples?: readonly (string | {description?: string; command: string})[]
  readonly args: Readonly<Record<string, ManifestInput>>
  readonly flags: Readonly<Record<string, ManifestInput>>
  readonly pluginName?: string
  readonly strict?: boolean
}

export interface ManifestInput {
  readonly name: string
  readonly char?: string
  readonly type?: 'boolean' | 'option'
  readonly summary?: string
  readonly description?: string
  readonly required?: boolean
  readonly multiple?: boolean
  readonly allowNo?: boolean
  readonly hidden?: boolean
  readonly helpGroup?: string
  readonly helpValue?: string
  readonly default?: unknown
  readonly options?: readonly string[]
}

/** The visible commands of one folder's manifest, sorted by id. */
export function readCommands(folder: string): ManifestCommand[] {
  const {commands} = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as {
    commands: Record<string, ManifestCommand>
  }
  const visible = Object.values(commands).filter((command) => !command.hidden)
  return visible.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
