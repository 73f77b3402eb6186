import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'

/** The user's cache of atomctl (the XDG base directory rules), as oclif's `cacheDir` on Linux; all of it can be made again. */
export function cacheRoot(environment: Environment): string {
  return join(environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache'), 'atomctl')
}
