import {mkdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {type Check, fail, ok, warn} from './check.ts'

/** The Node that runs this, which bin/run.js has found new enough. */
export const checkNode: Check = async ({config}) => [
  ok('node', `atomctl ${config.version} on Node.js ${process.versions.node}, ${process.platform} ${process.arch}`),
]

/** Without a cache everything works, more slowly. */
export const checkCache: Check = async ({config}) => {
  const probe = join(config.cacheDir, `doctor-${process.pid}`)
  try {
    await mkdir(config.cacheDir, {recursive: true})
    await writeFile(probe, '')
    await rm(probe)
    return [ok('cache', config.cacheDir)]
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    return [
      warn('cache', `${config.cacheDir} cannot be written (${code})`, 'set XDG_CACHE_HOME to a directory of yours'),
    ]
  }
}

/** Plugins run with your rights: each installed one is named, and checked as it would be before it is loaded. */
export const checkPlugins: Check = async ({atom, config}) => {
  const [{listPlugins}, {takenBy}, {sdkVersion}] = await Promise.all([
    import('../plugins/inventory.ts'),
    import('../plugins/conflicts.ts'),
    import('../plugins/load.ts'),
  ])
  const plugins = await listPlugins(atom.environment, takenBy(config, sdkVersion(config.root)))
  const trusted = plugins.filter(({status}) => status === 'trusted').map(({name, version}) => `${name} ${version}`)
  const summary =
    plugins.length === 0 ? 'none of your own' : `of your own: ${trusted.join(', ') || 'none that is trusted'}`
  return [
    ok('plugins', summary),
    ...plugins.flatMap(({name, status, reason}) =>
      status === 'trusted' ? [] : [fail('plugins', new Error(reason), `atomctl plugins inspect ${name}`)],
    ),
    ...[...config.plugins.values()]
      .filter(({valid}) => !valid)
      .map(({name}) => warn('plugins', `${name} cannot be loaded`, 'reinstall atomctl')),
  ]
}
