import type {Interfaces} from '@oclif/core'

/** Which atomctl this is, where it lies and what it runs on. */
export interface Installation {
  version: string
  node: string
  platform: string
  root: string
  plugins: {name: string; version: string; type: string}[]
}

export function describeInstallation(config: Interfaces.Config): Installation {
  return {
    version: config.version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    root: config.root,
    plugins: config
      .getPluginsList()
      .filter(({isRoot}) => !isRoot)
      .map(({name, version, type}) => ({name, version, type}))
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en')),
  }
}
