import {homedir} from 'node:os'
import {join} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import type {ApprovedPlugin} from './ledger.ts'

/** What is installed and approved: beside the user's trust lists, so that nobody else can write it. */
export function ledgerPath(environment: Environment): string {
  return join(homeOf(environment), 'plugins.json')
}

/** Where the plugins' files lie (the data directory of the XDG rules; `ATOMCTL_DATA_DIR` moves it). */
export function pluginsFolder(environment: Environment): string {
  const windows = process.platform === 'win32' ? environment['LOCALAPPDATA'] : undefined
  const base = environment['XDG_DATA_HOME'] || windows || join(environment['HOME'] || homedir(), '.local', 'share')
  return join(environment['ATOMCTL_DATA_DIR'] || join(base, 'atomctl'), 'plugins')
}

/** Where oclif finds the package of an approved plugin. */
export function packageFolder({type, root, name}: Pick<ApprovedPlugin, 'type' | 'root' | 'name'>): string {
  return type === 'link' ? root : join(root, 'node_modules', ...name.split('/'))
}
