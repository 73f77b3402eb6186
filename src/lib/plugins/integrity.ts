import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {digestFolder, stampFolder} from './folder-digest.ts'
import type {ApprovedPlugin} from './ledger.ts'

/**
 * Whether a plugin's files are what was approved. Files whose sizes, times and inodes did not change since they were last
 * read are not read again.
 * @throws PLUGIN_CHANGED, PLUGIN_INVALID
 */
export async function assertUnchanged(plugins: readonly ApprovedPlugin[], environment: Environment): Promise<void> {
  const known = readStamps(environment)
  const stamps: Record<string, unknown> = {...known}
  for (const plugin of plugins) {
    if (plugin.digest === undefined) continue
    const stamp = `${plugin.digest} ${readable(plugin, () => stampFolder(plugin.root))}`
    if (known[plugin.name] !== stamp) compare(plugin)
    stamps[plugin.name] = stamp
  }
  if (JSON.stringify(stamps) !== JSON.stringify(known)) await writeStamps(environment, stamps)
}

function compare(plugin: ApprovedPlugin): void {
  if (readable(plugin, () => digestFolder(plugin.root)) !== plugin.digest)
    throw changed(plugin, 'its files were changed')
}

function readable<T>(plugin: ApprovedPlugin, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const {code} = error as {code?: string}
    throw code === 'PLUGIN_INVALID' ? changed(plugin, (error as Error).message) : changed(plugin, `its files: ${code}`)
  }
}

function changed({name, version, spec}: ApprovedPlugin, why: string): AtomError {
  return new AtomError('PLUGIN_CHANGED', `the plugin ${name} ${version} is not what you installed: ${why}`, {
    hint: `atomctl plugins install ${spec ?? name}   # or remove it: atomctl plugins uninstall ${name}`,
  })
}

/** A cache: when it is missing or damaged everything is read once more. It lies where only the user can write. */
function stampsPath(environment: Environment): string {
  return join(homeOf(environment), 'plugin-stamps.json')
}

function readStamps(environment: Environment): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(stampsPath(environment), 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

async function writeStamps(environment: Environment, stamps: Readonly<Record<string, unknown>>): Promise<void> {
  const {writeFileSafely} = await import('@atomctl/sdk/files')
  await writeFileSafely(stampsPath(environment), JSON.stringify(stamps), {mode: 0o600, directoryMode: 0o700}).catch(
    () => {}, // a home that cannot be written: slower, no less safe
  )
}
