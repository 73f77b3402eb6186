import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {dirname, join, relative, sep} from 'node:path'
import {build, type BuildOptions, type BuildResult} from 'esbuild'
import {lazyOclif} from './bundling/lazy-oclif.ts'
import {slimPlatform} from './bundling/platform.ts'
import {type Shelf, SHELF_FOLDER, SHELVES, shelfSource, shelved} from './bundling/shelved.ts'
import {visibleRequires} from './bundling/visible-requires.ts'
import {listFiles, listRooms, ROOT} from './rooms.ts'

const SOURCES = join(ROOT, 'src')
const OUTPUT = join(ROOT, 'lib')
const STAMP = join(OUTPUT, '.bundled')

const OPTIONS: BuildOptions = {
  absWorkingDir: ROOT,
  banner: {js: "const __here = require('node:url').pathToFileURL(__filename).href"},
  bundle: true,
  define: {'import.meta.url': '__here'},
  external: ['typescript', '@oclif/plugin-*', 'undici'],
  format: 'cjs',
  legalComments: 'linked',
  minify: true,
  platform: 'node',
  target: 'node22.22',
}

/**
 * Bundles the CLI's own commands and hooks, with what they import, into one CommonJS file: a command then starts from a
 * handful of files instead of several hundred, and Node starts CommonJS sooner than ES modules. Every module in it is
 * evaluated when it is first imported, not before. Types stay tsc's; plugins and services stay unbundled, because third
 * parties import the packages. docs/benchmarks.md says what that is worth.
 */
export async function bundle(): Promise<void> {
  if (!isStale()) return
  removeOutput()
  await Promise.all([bundleMain(OUTPUT), ...Object.entries(SHELVES).map(bundleShelf)])
  const digest = digestBundle()
  await Promise.all(entries().map((name) => bundleEntry(name, digest)))
  writeStubs()
  writeFileSync(STAMP, '')
}

/**
 * `main.cjs`: all commands and hooks by their file's name without the ending, each behind a function that evaluates it.
 * Resolves to what esbuild says of it where `changes` ask for a metafile.
 */
export async function bundleMain(folder: string, changes: BuildOptions = {}): Promise<BuildResult> {
  const names = loadedByOclif()
  const getters = names.map((name) => `${JSON.stringify(name)}: () => require('./${name}.ts'),`)
  const contents = [
    "import {main as run} from './main.ts'",
    `export const modules = {\n${getters.join('\n')}\n}`,
    'export const main = (argv, root, derivation) => run(argv, root, derivation, modules)',
  ].join('\n')
  const outfile = join(folder, 'main.cjs')
  const result = await build({
    ...OPTIONS,
    ...changes,
    stdin: {contents, resolveDir: SOURCES, sourcefile: 'entry.ts', loader: 'ts'},
    outfile,
    plugins: [slimPlatform, shelved, lazyOclif, visibleRequires],
  })
  wrap(outfile)
  return result
}

/**
 * Makes a bundled file a script whose value is the function around a CommonJS module, as src/code-cache.ts compiles it:
 * Node would write that function around it at every start, and copy the file. Required as any module, it calls it itself.
 * A script compiled by hand has no `import()`, so it is given one.
 */
function wrap(file: string): void {
  const text = inAscii(readFileSync(file, 'utf8')).replaceAll(/\bimport\((?!\))/g, '__import(')
  const itself = 'run(exports, require, module, __filename, __dirname, (name) => import(name))'
  const parameters = 'exports, require, module, __filename, __dirname, __import'
  writeFileSync(file, `(run => typeof module === 'object' ? ${itself} : run)(function (${parameters}) {\n${text}\n})\n`)
}

/** esbuild escapes what is not ASCII in strings and leaves it in regular expressions, where an escape means the same. */
function inAscii(text: string): string {
  return text.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Small programs of their own, which read the main file only when they need it. */
function entries(): string[] {
  return ['start', 'complete', 'early-key']
}

/** What tells one bundle's compiled code from another's: V8 itself compares only lengths. */
function digestBundle(): string {
  const files = [join(OUTPUT, 'main.cjs'), ...listFiles(join(OUTPUT, SHELF_FOLDER), '.cjs').toSorted()]
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file)).update('\0')
  return hash.digest('hex').slice(0, 16)
}

async function bundleEntry(name: string, digest: string): Promise<void> {
  await build({
    ...OPTIONS,
    define: {...OPTIONS.define, BUNDLE: JSON.stringify(digest)},
    entryPoints: [join(SOURCES, `${name}.ts`)],
    outfile: join(OUTPUT, `${name}.cjs`),
    plugins: [
      {
        name: 'apart',
        setup({onResolve, onLoad}) {
          onResolve({filter: /^\.\/(main|complete|early-key)\.ts$/}, ({path}) => ({
            path: path.replace(/\.ts$/, '.cjs'),
            namespace: 'apart',
          }))
          onResolve({filter: /\.cjs$/, namespace: 'apart'}, ({path}) => ({path, external: true}))
          onLoad({filter: /.*/, namespace: 'apart'}, ({path}) => ({contents: `module.exports = require('${path}')`}))
        },
      },
    ],
  })
}

async function bundleShelf([name, shelf]: readonly [string, Shelf]): Promise<void> {
  const outfile = join(OUTPUT, SHELF_FOLDER, `${name}.cjs`)
  const stdin: BuildOptions['stdin'] = {contents: shelfSource(shelf), resolveDir: join(ROOT, shelf.from), loader: 'js'}
  await build({...OPTIONS, stdin, outfile})
  wrap(outfile)
}

/** oclif loads commands and hooks from files of their names: each takes its module out of the main one. */
function writeStubs(): void {
  for (const name of loadedByOclif()) {
    const file = join(OUTPUT, `${name}.cjs`)
    const main = relative(dirname(file), join(OUTPUT, 'main.cjs')).replaceAll(sep, '/')
    mkdirSync(dirname(file), {recursive: true})
    writeFileSync(file, `module.exports = require('${main}').modules[${JSON.stringify(name)}]()\n`)
  }
}

/** `commands/dev/up`, `hooks/init/configuration`: without the ending, with forward slashes. */
function loadedByOclif(): string[] {
  const files = ['commands', 'hooks'].flatMap((folder) => listFiles(join(SOURCES, folder), '.ts'))
  return files.map((file) => relative(SOURCES, file).replaceAll(sep, '/').replace(/\.ts$/, ''))
}

function removeOutput(): void {
  for (const suffix of ['.js', '.cjs', '.LEGAL.txt']) for (const file of listFiles(OUTPUT, suffix)) rmSync(file)
}

/** Whether a room was compiled, or the CLI, the dependencies or the bundling changed, since the last bundle. */
function isStale(): boolean {
  const bundled = modifiedAt(STAMP)
  const inputs = [
    ...listRooms().map(({output}) => join(output, '.tsbuildinfo')),
    ...listFiles(SOURCES, '.ts'),
    ...listFiles(join(ROOT, 'scripts', 'bundling'), '.ts'),
    join(ROOT, 'scripts', 'bundle.ts'),
    join(ROOT, 'package-lock.json'),
  ]
  return inputs.some((path) => modifiedAt(path) >= bundled) || !existsSync(join(OUTPUT, 'main.cjs'))
}

function modifiedAt(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}
