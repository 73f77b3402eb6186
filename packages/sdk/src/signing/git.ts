import {dirname} from 'node:path'
import {promisify} from 'node:util'
import type {Environment} from '../config/index.ts'

/** Asks git about one directory. */
export interface Git {
  readonly directory: string
  readonly environment: Environment
}

const TIMEOUT_MS = 10_000
const MAX_OUTPUT_BYTES = 16 << 20

/**
 * A checkout is somebody else's: nothing that its configuration names may run. That takes commands which look at
 * objects alone, too: `status` runs the clean filters and, in submodules, the monitors; `show` runs text converters.
 */
const HARMLESS = [
  '--no-optional-locks',
  '--no-replace-objects',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'safe.bareRepository=explicit',
]

/** What git prints; undefined when it fails, whatever the reason. */
export async function askGit({directory, environment}: Git, args: readonly string[]): Promise<Buffer | undefined> {
  const {execFile} = await import('node:child_process')
  const options = {
    // Windows looks for a program in the current directory first, which is the checkout's
    cwd: dirname(process.execPath),
    env: gitEnvironment(environment),
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    encoding: 'buffer',
  } as const
  try {
    return (await promisify(execFile)('git', ['-C', directory, ...HARMLESS, ...args], options)).stdout
  } catch {
    return undefined
  }
}

/** The same as one line of text; undefined for none. */
export async function askGitForLine(git: Git, args: readonly string[]): Promise<string | undefined> {
  return (await askGit(git, args))?.toString('utf8').trim() || undefined
}

// `git rev-parse --local-env-vars`, as a hook of git has them set for another repository
const OTHER_REPOSITORY =
  /^GIT_(ALTERNATE_OBJECT_DIRECTORIES|CEILING_DIRECTORIES|COMMON_DIR|DIR|GRAFT_FILE|INDEX_FILE|NAMESPACE|OBJECT_DIRECTORY|PREFIX|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)$/

/** Passwords and tokens of signing, and settings of ours: git has no use for them. */
const NOT_FOR_GIT = /^(ATOMCTL_|COSIGN_|SIGSTORE_ID_TOKEN$|ACTIONS_ID_TOKEN_)/

function gitEnvironment(environment: Environment): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !OTHER_REPOSITORY.test(name) && !NOT_FOR_GIT.test(name))
  // a partial clone fetches what it lacks by a program that its configuration names; no transport at all is allowed
  return {...Object.fromEntries(kept), GIT_ALLOW_PROTOCOL: '', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0'}
}
