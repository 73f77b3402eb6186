import {isatty} from 'node:tty'
import {type Environment, isCi} from '@atomctl/sdk/config'
import {formatOf} from '@atomctl/sdk/output'
import {currentRun} from '../current-run.ts'

const STDERR = 2

/**
 * After a command that went well: whether a person reads it, who may hear of a new version. Asked every time, so it loads
 * nothing; and whatever goes wrong with the notice is not the command's failure.
 */
export async function afterCommand(argv: readonly string[], environment: Environment): Promise<void> {
  const run = currentRun()
  if (!run || !isatty(STDERR) || isCi(environment) || !isForPeople(argv, environment)) return
  try {
    if (run.atom.configurationError || (run.atom.configuration.text('output') ?? 'table') !== 'table') return
    const {mentionUpdate} = await import('./notice.ts')
    mentionUpdate(run)
  } catch {
    // a cache that cannot be written, a process that cannot be started
  }
}

function isForPeople(argv: readonly string[], environment: Environment): boolean {
  const isQuiet = argv.includes('-q') || argv.includes('--quiet') || argv.includes('--check')
  return !isQuiet && formatOf(argv, environment) === 'table'
}
