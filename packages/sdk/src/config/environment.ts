import {homedir} from 'node:os'
import {join} from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

/** The process environment: the one place of the SDK and the commands that reads it. */
export const processEnvironment = (): Environment => process.env

/** atomctl's own directory (`~/.atomctl`; `ATOMCTL_HOME` moves it, as KUBECONFIG-style tools allow). */
export function homeOf(environment: Environment): string {
  return environment['ATOMCTL_HOME'] || join(environment['HOME'] || homedir(), '.atomctl')
}

/** True in a CI job: nothing prompts, progress is plain lines. */
export function isCi(environment: Environment): boolean {
  return Boolean(environment['CI']) && environment['CI'] !== 'false' && environment['CI'] !== '0'
}
