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
  // Not Node's default folder, which is a predictable path under the shared /tmp.
  enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'atomctl', 'v8'))
  process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1'
  const {main} = await import('./main.ts')
  await main(argv, root)
}
