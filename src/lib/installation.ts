import {execFileSync} from 'node:child_process'
import {existsSync, readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {join} from 'node:path'
import type {Interfaces} from '@oclif/core'
import * as z from 'zod'

/** How this copy came to the machine. */
export type InstallKind = 'deb' | 'npm' | 'source' | 'standalone'

/** Which atomctl this is, where it lies and what it runs on. */
export interface Installation {
  version: string
  kind: InstallKind
  /** The full id of the commit it was built from, and that commit's or the release's time; absent where nobody knows. */
  commit?: string
  date?: string
  node: string
  v8: string
  platform: string
  root: string
  /** Whether `dev`, `serve` and `run --local` find the registry and the runtime. */
  services: boolean
  plugins: {name: string; version: string; type: string}[]
}

export function describeInstallation(config: Interfaces.Config): Installation {
  return {
    version: config.version,
    ...readBuild(config.root),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    root: config.root,
    services: hasServices(config.root),
    plugins: config
      .getPluginsList()
      .filter(({isRoot}) => !isRoot)
      .map(({name, version, type}) => ({name, version, type}))
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en')),
  }
}

const build = z.object({
  kind: z.enum(['deb', 'npm', 'standalone']),
  commit: z.string().optional(),
  date: z.string().optional(),
})

/** What the packaging wrote down in build.json; a checkout has none and is asked itself. */
function readBuild(root: string): {kind: InstallKind; commit?: string; date?: string} {
  if (existsSync(join(root, 'src', 'commands'))) return {kind: 'source', ...readCommit(root)}
  try {
    const {kind, commit, date} = build.parse(JSON.parse(readFileSync(join(root, 'build.json'), 'utf8')))
    return {kind, ...(commit === undefined ? {} : {commit}), ...(date === undefined ? {} : {date})}
  } catch {
    return {kind: 'npm'}
  }
}

function readCommit(root: string): {commit?: string; date?: string} {
  try {
    const printed = execFileSync('git', ['log', '-1', '--format=%H %ct'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2000,
    })
    const [commit = '', seconds] = printed.trim().split(' ')
    return {commit, date: new Date(Number(seconds) * 1000).toISOString()}
  } catch {
    return {}
  }
}

// as the dev plugin looks for them, which is the one to load them
function hasServices(root: string): boolean {
  const plugin = createRequire(join(root, 'node_modules', '@atomctl', 'plugin-dev', 'package.json'))
  return ['@atomctl/storage', '@atomctl/services'].some((name) => {
    try {
      return existsSync(plugin.resolve(name))
    } catch {
      return false
    }
  })
}
