import {mkdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {type Check, ok, warn} from './check.ts'

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

/** Plugins run with your rights; the ones you installed or linked yourself are named. */
export const checkPlugins: Check = async ({config}) => {
  const plugins = [...config.plugins.values()]
  const own = plugins.filter(({type}) => type === 'user' || type === 'link')
  const broken = plugins.filter(({valid}) => !valid)
  const names = own.map(({name, version}) => `${name} ${version}`).join(', ')
  return [
    ok('plugins', own.length === 0 ? 'none of your own' : `of your own: ${names}`),
    ...broken.map(({name}) => warn('plugins', `${name} cannot be loaded`, `atomctl plugins uninstall ${name}`)),
  ]
}
