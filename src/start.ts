import {readFileSync} from 'node:fs'
import {enableCompileCache} from 'node:module'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {CodeCache} from './code-cache.ts'
import {cacheRoot} from './lib/cache-root.ts'

/** The digest of the bundle that belongs to this file; scripts/bundle.ts writes it in. */
declare const BUNDLE: string

const root = new URL('..', import.meta.url)
const argv = process.argv.slice(2)

if (argv.length === 1 && argv[0] === '--version') {
  // the one question that needs no configuration, no plugins and no command, answered without loading them
  const {version} = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {version: string}
  process.stdout.write(`atomctl/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
} else {
  const caches = cacheRoot(process.env)
  // what is not in the bundle, as plugins; not Node's default folder, which is a predictable path under the shared /tmp
  enableCompileCache(join(caches, 'v8'))
  process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1'
  // asked at every TAB, so it loads no oclif
  if (argv[0] === '__complete') import('./complete.ts').then(({complete}) => complete(argv.slice(1), root), damaged)
  else loadCommand(caches).then((run) => run(), damaged)
}

async function loadCommand(caches: string): Promise<() => Promise<void>> {
  const derivation =
    argv[0] === 'sign' ? (await import('./early-key.ts')).beginSigningKey(argv, process.env) : undefined
  const {main} = await loadMain(caches, argv[0])
  return () => main(argv, root, derivation)
}

/** From the bundle, with one cache for each command, since each calls other functions; from the sources without. */
async function loadMain(caches: string, command = ''): Promise<typeof import('./main.ts')> {
  if (typeof BUNDLE === 'undefined') return import('./main.ts')
  const name = /^[a-z][a-z-]{0,30}$/.test(command) ? command : 'other'
  const cache = new CodeCache(join(caches, 'code', `${BUNDLE}-${process.version}-${process.arch}`, name))
  return cache.load(fileURLToPath(new URL('main.cjs', import.meta.url))) as typeof import('./main.ts')
}

function damaged(error: unknown): void {
  process.stderr.write(
    `[ERROR] atomctl is not built or its installation is damaged: ${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exit(1)
}
