import {existsSync, readFileSync, realpathSync} from 'node:fs'
import {dirname, join, relative, sep} from 'node:path'
import {ROOT} from '../rooms.ts'

/** A package that is to be shipped: where it is here, and where it goes, relative to the shipped package, with forward slashes. */
export interface Shipped {
  readonly name: string
  readonly version: string
  readonly source: string
  readonly target: string
  /** Its dependencies that are shipped too: npm would fetch any other it reads of. */
  readonly dependencies: readonly string[]
}

/** Which dependencies of a package are followed; all but these are left out. */
export type Follow = (importer: string, dependency: string) => boolean

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, {readonly optional?: boolean}>>
}

const WORKSPACE = /^(?:packages|plugins|services)\/[\w-]+/

/**
 * What `names` need at run time, themselves included, as it is installed here: found the way Node looks for them, so that
 * it is found again where it goes. Sorted by target. @throws Error when one is not installed
 */
export function closureOf(names: readonly string[], follow: Follow = () => true): Shipped[] {
  const found = new Map<string, Shipped>()
  const visit = (name: string, from: string): void => {
    const source = locate(name, from)
    if (found.has(source)) return
    const manifest = readManifest(source)
    const dependencies = neededBy(manifest).filter((dependency) => follow(name, dependency))
    found.set(source, {name, version: manifest.version, source, target: targetOf(source), dependencies})
    for (const dependency of dependencies) visit(dependency, source)
  }
  for (const name of names) visit(name, ROOT)
  return [...found.values()].toSorted((left, right) => (left.target < right.target ? -1 : 1))
}

// npm installs what is a peer of something, too, and would ask a registry for one that is missing
function neededBy({dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {}}: Manifest): string[] {
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)
  return [...Object.keys(dependencies), ...peers]
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** Node's own search: each folder upwards, with links followed, because Node follows them before it goes on searching. */
function locate(name: string, from: string): string {
  const candidate = join(from, 'node_modules', name)
  if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
  if (from === ROOT) throw new Error(`${name} is not installed: run npm ci`)
  return locate(name, dirname(from))
}

/** A workspace goes where its link is; what npm nested inside a workspace stays nested. */
function targetOf(source: string): string {
  const path = relative(ROOT, source).replaceAll(sep, '/')
  const workspace = WORKSPACE.exec(path)?.[0]
  if (workspace === undefined) return path
  return `node_modules/${readManifest(join(ROOT, workspace)).name}${path.slice(workspace.length)}`
}
