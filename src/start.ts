import {enableCompileCache} from 'node:module'
import {homedir} from 'node:os'
import {join} from 'node:path'

// Not Node's default folder, which is a predictable path under the shared /tmp.
enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'atomctl', 'v8'))
process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1'

const {main} = await import('./main.ts')
await main(process.argv.slice(2), new URL('..', import.meta.url))
