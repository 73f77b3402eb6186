import {spawn} from 'node:child_process'
import {existsSync} from 'node:fs'
import {delimiter, dirname, join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import {AtomError, type ErrorCode} from '@atomctl/sdk/errors'

export interface NpmOptions {
  readonly environment: Environment
  readonly signal: AbortSignal
  /** Milliseconds that one request may take. */
  readonly timeout: number
  /** How often a request is made at most. */
  readonly attempts: number
  /** Registry to ask instead of the one npm is configured for. */
  readonly registry?: string | undefined
}

/** npm's own program, run in a folder; answers what `--json` printed. */
export type Npm = (args: readonly string[], folder: string) => Promise<unknown>

// Peers are the host's, development dependencies nobody's; scripts run only where a caller says so behind these.
const ALWAYS = [
  '--json',
  '--loglevel=silent',
  '--ignore-scripts',
  '--legacy-peer-deps',
  '--omit=dev',
  '--install-links',
]
const QUIET = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--workspaces=false']

/** @throws NPM_MISSING here; from the function: NOT_FOUND, NOT_AUTHENTICATED, PLUGIN_CHANGED, UNAVAILABLE, PLUGIN_INSTALL_FAILED */
export function createNpm(options: NpmOptions): Npm {
  const command = findNpm(options.environment)
  const {timeout, attempts, registry} = options
  const network = [
    `--fetch-timeout=${timeout}`,
    `--fetch-retries=${attempts - 1}`,
    '--fetch-retry-mintimeout=200',
    ...(registry === undefined ? [] : [`--registry=${registry}`]),
  ]
  return async ([verb = '', ...args], folder) => {
    const all = [...command.args, verb, ...ALWAYS, ...QUIET, ...network, ...args]
    const {code, stdout} = await runProgram(command.program, all, folder, options)
    const answer = parseAnswer(stdout)
    if (code !== 0) throw failure(answer)
    return answer
  }
}

/** Beside the running Node, where its installers put it, else on the PATH. @throws NPM_MISSING */
function findNpm(environment: Environment): {program: string; args: string[]} {
  const folder = dirname(process.execPath)
  const beside = [join(folder, '..', 'lib', 'node_modules'), join(folder, 'node_modules')]
  const onPath = (environment['PATH'] ?? environment['Path'] ?? '').split(delimiter).filter((part) => part !== '')
  const scripts = [...beside, ...onPath.map((part) => join(part, 'node_modules'))].map((part) =>
    join(part, 'npm', 'bin', 'npm-cli.js'),
  )
  const script = scripts.find((path) => existsSync(path))
  if (script !== undefined) return {program: process.execPath, args: [script]}
  const program = onPath.map((part) => join(part, 'npm')).find((path) => existsSync(path))
  if (program !== undefined && process.platform !== 'win32') return {program, args: []}
  throw new AtomError('NPM_MISSING', 'plugins are fetched and unpacked by npm, which is not on the PATH', {
    hint: 'install Node.js with npm, then run the command again',
  })
}

function runProgram(
  program: string,
  args: readonly string[],
  cwd: string,
  {environment, signal}: NpmOptions,
): Promise<{code: number | null; stdout: string}> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {cwd, env: {...environment}, signal, stdio: ['ignore', 'pipe', 'ignore']})
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.name === 'AbortError'
          ? new AtomError('INTERRUPTED', 'interrupted; nothing was installed')
          : new AtomError('NPM_MISSING', `${program} cannot be run (${cause.code})`, {cause}),
      ),
    )
    child.once('close', (code) => resolve({code, stdout: Buffer.concat(chunks).toString('utf8')}))
  })
}

function parseAnswer(stdout: string): unknown {
  try {
    return JSON.parse(stdout)
  } catch {
    return undefined
  }
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  E401: 'NOT_AUTHENTICATED',
  E403: 'DENIED',
  ENEEDAUTH: 'NOT_AUTHENTICATED',
  E404: 'NOT_FOUND',
  ETARGET: 'NOT_FOUND',
  ENOVERSIONS: 'NOT_FOUND',
  ENOENT: 'INPUT_MISSING',
  EINTEGRITY: 'PLUGIN_CHANGED',
}
const NETWORK =
  /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT|ERESPONSETIMEOUT|ECONNECTIONTIMEOUT|EHOSTUNREACH|ENETUNREACH|ERR_STREAM_PREMATURE_CLOSE|FETCH_ERROR|E5\d\d|E429)$/

function failure(answer: unknown): AtomError {
  const {error} = (answer ?? {}) as {error?: {code?: unknown; summary?: unknown}}
  const code = typeof error?.code === 'string' ? error.code : ''
  const known = CODES[code] ?? (NETWORK.test(code) ? 'UNAVAILABLE' : 'PLUGIN_INSTALL_FAILED')
  const summary =
    typeof error?.summary === 'string' ? withoutSecrets(error.summary.split('\n')[0] ?? '') : 'it gave no reason'
  return new AtomError(known, `npm${code ? ` (${code})` : ''}: ${summary}; nothing was installed`, {
    hint: known === 'NOT_AUTHENTICATED' ? 'npm login, or a token in ~/.npmrc' : 'npm ping, and npm config get registry',
  })
}

/** npm names the address it asked, which may hold a password or a token. */
function withoutSecrets(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^\s/@]*@/g, '$1').replaceAll(/(https?:\/\/[^\s?#]*)[?#]\S*/g, '$1')
}
