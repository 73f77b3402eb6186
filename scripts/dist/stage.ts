import {execFileSync} from 'node:child_process'
import {chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join, relative, sep} from 'node:path'
import {listFiles, ROOT} from '../rooms.ts'
import {closureOf, type Follow, type Shipped} from './closure.ts'
import {isShipped} from './pruning.ts'
import {buildDate} from './time.ts'

/**
 * Where the client is laid out, whole, with the packages it needs: all that package.json's `files` names, so `npm pack` and
 * `npm publish` in the checkout ship this folder and nothing else (`prepack` makes it).
 */
export const CLIENT = join(ROOT, 'dist', 'client')

/** How a copy came to a machine; `version --verbose` says it, and the hints of SERVICES_NOT_INSTALLED depend on it. */
export type InstallKind = 'npm' | 'standalone' | 'deb'

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Readonly<Record<string, unknown>> & {
  version: string
  oclif: {plugins: string[]}
}

export const VERSION = manifest.version

// `atomctl test` interprets packages with the runtime's code, without its server, engine and database.
const REHEARSAL: ReadonlySet<string> = new Set(['@atomctl/protocol', '@atomctl/wpk', 'undici', 'zod'])
const SERVICES: ReadonlySet<string> = new Set(['@atomctl/registry', '@atomctl/storage'])

const followClient: Follow = (importer, dependency) =>
  importer === '@atomctl/runtime' ? REHEARSAL.has(dependency) : !SERVICES.has(dependency)

/** Everything the commands need, without what only the services need. undici is the one package left out of the bundle. */
export function clientClosure(): Shipped[] {
  return closureOf([...manifest.oclif.plugins, 'undici'], followClient)
}

/** The services, whole: with their own copies of what the client has too, so that either can be replaced alone. */
export function servicesClosure(): Shipped[] {
  return closureOf(['@atomctl/registry', '@atomctl/runtime', '@atomctl/storage'])
}

/** Lays out the client in CLIENT: it carries its dependencies, so it installs without a network. */
export function stageClient(): void {
  const folder = CLIENT
  empty(folder)
  const shipped = clientClosure()
  for (const name of ['package.json', 'run.js']) copy(join(ROOT, 'bin', name), join(folder, 'bin', name))
  for (const file of listFiles(join(ROOT, 'lib'), '')) {
    if (/\.(?:cjs|txt|1)$/.test(file)) copy(file, join(folder, relative(ROOT, file)))
  }
  for (const name of ['LICENSE', 'CHANGELOG.md', 'README.md', 'docs/errors.md', 'oclif.manifest.json']) {
    copy(join(ROOT, name), join(folder, name))
  }
  copyPackages(shipped, folder)
  const {name, version, description, keywords, license, type, oclif, engines} = manifest
  const head = {name, version, description, keywords, license, type, oclif, engines}
  writeJson(join(folder, 'package.json'), {...head, ...dependenciesOf(shipped)})
  writeJson(join(folder, 'build.json'), {kind: 'npm', commit: commit(), date: buildDate().toISOString()})
}

const SERVICES_ENTRY = `export const version = ${JSON.stringify(VERSION)}
export const loadRegistry = () => import('@atomctl/registry')
export const loadRuntime = () => import('@atomctl/runtime')
export const loadStorage = () => import('@atomctl/storage')
`

/** Lays out `@atomctl/services`, which `atomctl dev` and `atomctl serve` find beside or inside the client. */
export function stageServices(folder: string): void {
  empty(folder)
  const shipped = servicesClosure()
  copyPackages(shipped, folder)
  copy(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(join(folder, 'index.js'), SERVICES_ENTRY)
  setMode(join(folder, 'index.js'))
  const {version, license, type, engines} = manifest
  const description = 'The registry and the runtime of atomctl dev and atomctl serve'
  const head = {name: '@atomctl/services', version, description, license, type, exports: './index.js', engines}
  writeJson(join(folder, 'package.json'), {...head, ...dependenciesOf(shipped)})
}

// npm takes what is bundled as it is, and asks no registry for it.
function dependenciesOf(shipped: readonly Shipped[]) {
  const top = shipped.filter(({target, name}) => target === `node_modules/${name}`)
  return {
    dependencies: Object.fromEntries(top.map(({name, version}) => [name, version])),
    bundleDependencies: top.map(({name}) => name),
  }
}

function copyPackages(shipped: readonly Shipped[], folder: string): void {
  for (const {name, source, target, dependencies} of shipped) {
    for (const path of shippedFiles(name, source)) copy(join(source, path), join(folder, target, path))
    if (name.startsWith('@atomctl/')) keepDependencies(join(folder, target, 'package.json'), dependencies)
  }
}

function keepDependencies(file: string, kept: readonly string[]): void {
  const own = JSON.parse(readFileSync(file, 'utf8')) as {dependencies?: Record<string, string>}
  const dependencies = Object.entries(own.dependencies ?? {}).filter(([name]) => kept.includes(name))
  writeJson(file, {...own, dependencies: Object.fromEntries(dependencies)})
}

/** The files of one package that go to a user: inside it, with forward slashes, without the packages nested in it. */
export function shippedFiles(name: string, source: string): string[] {
  const paths = filesOf(source).map((file) => relative(source, file).replaceAll(sep, '/'))
  return paths.filter((path) => isShipped(name, path))
}

// listFiles leaves out what is below any node_modules, which the packages themselves are
function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, {withFileTypes: true}).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    if (entry.name === 'node_modules') return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesOf(path) : entry.isFile() ? [path] : []
  })
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), {recursive: true})
  copyFileSync(from, to)
  setMode(to)
}

// Whatever umask the packager has, and whoever installed the dependencies; npm itself makes `bin` executable.
function setMode(file: string): void {
  chmodSync(file, 0o644)
}

function empty(folder: string): void {
  rmSync(folder, {recursive: true, force: true})
  mkdirSync(folder, {recursive: true})
}

/** A second layout of the same package that only says another kind. */
export function restage(from: string, to: string, kind: InstallKind): void {
  empty(to)
  cpSync(from, to, {recursive: true})
  const file = join(to, 'build.json')
  writeJson(file, {...(JSON.parse(readFileSync(file, 'utf8')) as object), kind})
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`)
  setMode(file)
}

function commit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {cwd: ROOT, encoding: 'utf8'}).trim()
  } catch {
    return undefined
  }
}
