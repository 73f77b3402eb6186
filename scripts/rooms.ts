import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

/** The repository's top folder, absolute, with no slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** One TypeScript project: a workspace package, or the CLI itself (whose name is `src`). */
export interface Room {
  /** Relative to ROOT with forward slashes: `packages/wpk`, `plugins/dev`, `src`. */
  readonly name: string
  readonly sources: string
  readonly output: string
}

const CLI: Room = {name: 'src', sources: join(ROOT, 'src'), output: join(ROOT, 'lib')}

/** Every room of the house, the CLI last (it is built on the others). */
export function listRooms(): Room[] {
  const workspaces = ['packages', 'services', 'plugins'].flatMap((floor) => {
    const names = readdirSync(join(ROOT, floor), {withFileTypes: true}).filter((entry) => entry.isDirectory())
    return names.map((entry) => `${floor}/${entry.name}`)
  })
  return [...workspaces.map(roomOf), CLI]
}

function roomOf(name: string): Room {
  return {name, sources: join(ROOT, name, 'src'), output: join(ROOT, name, 'lib')}
}

/** Files below a folder whose name ends in `suffix`, absolute and sorted; none when the folder is missing. */
export function listFiles(folder: string, suffix: string): string[] {
  return entriesBelow(folder)
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/\\](node_modules|fixtures)[/\\]/.test(path))
    .toSorted()
}

function entriesBelow(folder: string) {
  try {
    return readdirSync(folder, {recursive: true, withFileTypes: true})
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
