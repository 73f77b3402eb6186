import {existsSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {build} from 'esbuild'
import {listFiles, listRooms, ROOT} from './rooms.ts'

const OUTPUT = join(ROOT, 'lib')
const STAMP = join(OUTPUT, '.bundled')

// CommonJS inside an ES module: what a bundled dependency expects to find.
const PRELUDE = [
  "import {createRequire as __createRequire} from 'node:module'",
  "import {fileURLToPath as __fileURLToPath} from 'node:url'",
  "import {dirname as __pathDirname} from 'node:path'",
  'const require = __createRequire(import.meta.url), __filename = __fileURLToPath(import.meta.url), __dirname = __pathDirname(__filename)',
].join(';')

// CommonJS that is imported lazily or in parts: a bundler would give `import()` of it no named exports.
const LOADED_AS_THEY_ARE = ['ajv', 'ajv-formats', 'undici']

/**
 * Bundles the CLI's own commands and hooks with what they import into shared chunks: a command then starts from a
 * handful of files instead of several hundred, which is a third of its start-up. Types stay tsc's; plugins and services
 * stay unbundled, because third parties import the packages.
 */
export async function bundle(): Promise<void> {
  if (!isStale()) return
  rmSync(join(OUTPUT, 'chunks'), {recursive: true, force: true})
  await build({
    absWorkingDir: ROOT,
    banner: {js: PRELUDE},
    bundle: true,
    chunkNames: 'chunks/[name]-[hash]',
    entryPoints: listFiles(join(ROOT, 'src'), '.ts'),
    external: ['typescript', '@oclif/plugin-*', ...LOADED_AS_THEY_ARE],
    format: 'esm',
    legalComments: 'linked',
    minifySyntax: true,
    minifyWhitespace: true,
    outbase: 'src',
    outdir: 'lib',
    platform: 'node',
    splitting: true,
    target: 'node22.22',
  })
  writeFileSync(STAMP, '')
}

/** Whether a room was compiled, or the CLI or the dependencies changed, since the last bundle. */
function isStale(): boolean {
  const bundled = modifiedAt(STAMP)
  const inputs = [
    ...listRooms().map(({output}) => join(output, '.tsbuildinfo')),
    ...listFiles(join(ROOT, 'src'), '.ts'),
    join(ROOT, 'package-lock.json'),
  ]
  return inputs.some((path) => modifiedAt(path) >= bundled) || !existsSync(join(OUTPUT, 'main.js'))
}

function modifiedAt(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}
