import type {Plugin} from 'esbuild'

/**
 * oclif asks wsl-utils at every start whether this is Windows' Linux, and with it loads what finds PowerShell and reads
 * mount tables. That one answer comes from is-wsl alone; PowerShell is looked for on Windows only, by the whole package.
 */
export const slimPlatform: Plugin = {
  name: 'slim-platform',
  setup(build) {
    build.onResolve({filter: /^wsl-utils$/}, ({namespace, resolveDir}) =>
      namespace === 'platform' ? undefined : {path: resolveDir, namespace: 'platform'},
    )
    build.onLoad({filter: /.*/, namespace: 'platform'}, ({path}) => ({
      contents: `export {default as isWsl} from 'is-wsl'\nexport const powerShellPath = async () => (await import('wsl-utils')).powerShellPath()`,
      resolveDir: path,
      loader: 'js',
    }))
  },
}
