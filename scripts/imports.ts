import {readFileSync} from 'node:fs'
import {dirname, relative, resolve, sep} from 'node:path'
import {listFiles, listRooms, ROOT} from './rooms.ts'

/** Which first-party packages a room may import. A plugin that is not named here gets what commands get. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'packages/wpk': [],
  'packages/protocol': [],
  'packages/sdk': ['wpk', 'protocol'],
  'services/storage': ['wpk', 'protocol'],
  'services/registry': ['wpk', 'protocol', 'storage'],
  'services/runtime': ['wpk', 'protocol', 'storage'],
  'plugins/dev': ['sdk', 'wpk', 'protocol', 'storage', 'registry', 'runtime'],
  'plugins/test': ['sdk', 'wpk', 'protocol', 'runtime/rehearsal'],
}
const COMMANDS = ['sdk', 'wpk', 'protocol']

/** Files that are another way into a room: what they lead to may load nothing of these. */
const LIGHT_ENTRIES: readonly {readonly entry: string; readonly never: RegExp}[] = [
  {
    entry: 'services/runtime/src/rehearsal/index.ts',
    never:
      /^(undici|pg|fastify|kysely|@fastify\/.*|fastify-.*|kysely\/.*|@dbos-inc\/.*|@electric-sql\/.*|@atomctl\/storage|@atomctl\/wpk\/trust)$/,
  },
]

/** One dependency, one door: the only folders that may import it. */
const DOORS: readonly {readonly dependency: RegExp; readonly folders: readonly string[]}[] = [
  {dependency: /^yaml$/, folders: ['packages/wpk/src/document/']},
  {dependency: /^tar-stream$/, folders: ['packages/wpk/src/archive/']},
  {dependency: /^@sigstore\/(sign|tuf)$/, folders: ['packages/sdk/src/sigstore/']},
  {
    dependency: /^@sigstore\//,
    folders: ['packages/wpk/src/signing/', 'packages/wpk/src/trust/', 'packages/sdk/src/sigstore/'],
  },
  {dependency: /^undici$/, folders: ['packages/sdk/src/http/', 'services/runtime/src/']},
  {dependency: /^(pg|@electric-sql\/.*)$/, folders: ['services/storage/src/']},
  {dependency: /^kysely(\/.*)?$/, folders: ['services/']},
  {dependency: /^(fastify|@fastify\/.*|fastify-.*)$/, folders: ['services/']},
  {dependency: /^@dbos-inc\//, folders: ['services/runtime/src/engine/']},
  {dependency: /^@oclif\//, folders: ['packages/sdk/src/', 'plugins/', 'src/']},
  {
    dependency: /^node:(https?|net|tls|child_process)$/,
    folders: ['packages/sdk/src/', 'services/', 'plugins/', 'src/'],
  },
]

export interface Import {
  readonly name: string
  /** `import type`: gone at run time, so it neither loads a dependency nor closes a circle. */
  readonly isType: boolean
}

/** One source file and what it imports, the path relative to the repository with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly imports: readonly Import[]
}

/** Every source file of every room (tests are free to import what they need). */
export function readSources(): SourceFile[] {
  const paths = listRooms().flatMap((room) => listFiles(room.sources, '.ts'))
  return paths.map((path) => ({path: inRepository(path), imports: importsOf(readFileSync(path, 'utf8'))}))
}

function inRepository(path: string): string {
  return relative(ROOT, path).replaceAll(sep, '/')
}

/** What `import`, `export … from` and `import()` name; comments are left out. */
export function importsOf(source: string): Import[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(type\s+(?!,|from))?(?:[\w$*\s{},]+?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  )
  const calls = code.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]/g)
  return [...statements, ...calls].map(([, type, name = '']) => ({name, isType: type !== undefined}))
}

/** Every import that goes against the arrows, a door or the rule that commands do not know each other, and every circle. */
export function findViolations(files: readonly SourceFile[]): string[] {
  const edges = files.flatMap((file) => file.imports.map((imported) => [file.path, imported] as const))
  const wrong = edges.flatMap(([path, imported]) => judge(path, imported) ?? [])
  const circles = findCircles(files).map((circle) => `circle: ${circle.join(' → ')}`)
  return [...wrong, ...circles, ...LIGHT_ENTRIES.flatMap((light) => findWeight(files, light))]
}

/** What a light entry would load, directly or through its room, although it must not. */
function findWeight(files: readonly SourceFile[], {entry, never}: (typeof LIGHT_ENTRIES)[number]): string[] {
  const sources = new Map(files.map((file) => [file.path, file]))
  const reached = new Set([entry])
  for (const path of reached) for (const next of neighbours(path, sources.get(path)?.imports ?? [])) reached.add(next)
  return [...reached].flatMap((path) => {
    const heavy = (sources.get(path)?.imports ?? []).filter(({name, isType}) => !isType && never.test(name))
    return heavy.map(({name}) => `${path} imports ${name}, which ${entry} must not load`)
  })
}

function judge(path: string, {name, isType}: Import): string | undefined {
  if (name.startsWith('.')) return judgeNeighbour(path, resolveImport(path, name))
  const firstParty = /^@atomctl\/([^/]+)/.exec(name)?.[1]
  if (firstParty !== undefined) return judgeArrow(path, firstParty, name)
  const door = DOORS.find(({dependency}) => dependency.test(name))
  if (!door || isType || door.folders.some((folder) => path.startsWith(folder))) return undefined
  return `${path} imports ${name}, which belongs in ${door.folders.join(' or ')}`
}

/** An arrow may lead to one entry of a room instead of all of it. */
function judgeArrow(path: string, target: string, name: string): string | undefined {
  const room = roomOf(path)
  const allowed = ARROWS[room] ?? COMMANDS
  if (allowed.includes(target) || room.endsWith(`/${target}`)) return undefined
  if (allowed.some((entry) => name === `@atomctl/${entry}`)) return undefined
  return `${path} imports ${name}; ${room} may import ${allowed.join(', ') || 'no other room'}`
}

function judgeNeighbour(path: string, target: string): string | undefined {
  if (roomOf(path) !== roomOf(target)) return `${path} reaches into ${target}; import that room by its package name`
  const commands = /^(.*\/)?src\/commands\/|^src\/commands\//
  return commands.test(path) && commands.test(target) ? `${path} imports the command ${target}` : undefined
}

function roomOf(path: string): string {
  return path.startsWith('src/') ? 'src' : path.split('/').slice(0, 2).join('/')
}

function resolveImport(path: string, name: string): string {
  return inRepository(resolve(ROOT, dirname(path), name))
}

/** Circles of relative imports, each named once, starting at its first file by name. */
export function findCircles(files: readonly SourceFile[]): string[][] {
  const graph = new Map(files.map(({path, imports}) => [path, neighbours(path, imports)]))
  const circles = new Map<string, string[]>()
  const done = new Set<string>()
  for (const path of graph.keys()) walk(path, [], graph, done, circles)
  return [...circles.values()]
}

function neighbours(path: string, imports: readonly Import[]): string[] {
  const loaded = imports.filter(({name, isType}) => name.startsWith('.') && !isType)
  return loaded.map(({name}) => resolveImport(path, name))
}

function walk(
  path: string,
  trail: readonly string[],
  graph: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
  circles: Map<string, string[]>,
): void {
  const start = trail.indexOf(path)
  if (start !== -1) {
    const members = trail.slice(start)
    circles.set(members.toSorted().join(' '), [...members, path])
    return
  }
  if (done.has(path)) return
  for (const next of graph.get(path) ?? []) walk(next, [...trail, path], graph, done, circles)
  done.add(path)
}
