import {readFileSync} from 'node:fs'
import {enableCompileCache} from 'node:module'
import {homedir} from 'node:os'
import {join} from 'node:path'

const root = new URL('..', import.meta.url)
const argv = process.argv.slice(2)

if (argv.length === 1 && argv[0] === '--version') {
  // the one question that needs no configuration, no plugins and no command, answered without loading them
  const {version} = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {version: string}
  process.stdout.write(`atomctl/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
} else {
  enableCompileCache(compileCache(argv[0]))
  process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1'
  // asked at every TAB, so it loads no oclif
  if (argv[0] === '__complete') import('./complete.ts').then(({complete}) => complete(argv.slice(1), root), damaged)
  else import('./main.ts').then(({main}) => main(argv, root), damaged)
}

/**
 * Not Node's default folder, which is a predictable path under the shared /tmp. One for each command: Node writes a file's
 * cache once, with the functions that the first run used, so what another command uses would be compiled at each start.
 */
function compileCache(command = ''): string {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'atomctl', 'v8')
  return /^[a-z][a-z-]{0,30}$/.test(command) ? join(folder, command) : folder
}

function damaged(error: unknown): void {
  process.stderr.write(
    `[ERROR] atomctl is not built or its installation is damaged: ${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exit(1)
}
