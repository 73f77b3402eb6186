import {execFileSync} from 'node:child_process'
import {ROOT} from '../rooms.ts'

/**
 * The one time of a release: SOURCE_DATE_EPOCH (seconds; reproducible-builds.org), else the last commit's, else now.
 * @throws Error when SOURCE_DATE_EPOCH is no whole number of seconds
 */
export function buildDate(environment: NodeJS.ProcessEnv = process.env): Date {
  const said = environment['SOURCE_DATE_EPOCH']
  if (said === undefined) return new Date(commitSeconds() * 1000)
  if (!/^\d{1,11}$/.test(said)) throw new Error(`SOURCE_DATE_EPOCH is no number of seconds: ${said}`)
  return new Date(Number(said) * 1000)
}

function commitSeconds(): number {
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], {cwd: ROOT, encoding: 'utf8'}).trim())
  } catch {
    return Math.floor(Date.now() / 1000)
  }
}
