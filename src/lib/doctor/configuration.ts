import {stat} from 'node:fs/promises'
import {userConfigurationPath} from '@atomctl/sdk/config'
import {type Check, type CheckResult, fail, ok, warn} from './check.ts'

/** The files that are read, whether they can be, and who else can read the token in them. */
export const checkConfiguration: Check = async ({atom}) => {
  if (atom.configurationError) return [fail('configuration', atom.configurationError, 'edit the file')]
  const {user, project} = atom.sources
  const files = [user, project].flatMap((file) => (file ? [file.path] : []))
  const found =
    files.length > 0 ? files.join(', ') : `no file, defaults apply (${userConfigurationPath(atom.environment)})`
  return [
    ok('configuration', found),
    ...(user ? await checkMode(user.path) : []),
    ...(project && holdsToken(project.value)
      ? [
          warn(
            'configuration',
            `${project.path} holds a token; a project file is shared and committed`,
            'atomctl config --auth-token - < token-file   # and remove it from the project file',
          ),
        ]
      : []),
  ]
}

function holdsToken({
  auth_token: token,
  contexts = {},
}: {
  auth_token?: unknown
  contexts?: object | undefined
}): boolean {
  const all = Object.values(contexts) as {auth_token?: unknown}[]
  return token !== undefined || all.some((context) => context.auth_token !== undefined)
}

// Windows keeps no such bits.
async function checkMode(path: string): Promise<CheckResult[]> {
  if (process.platform === 'win32') return []
  const {mode} = await stat(path)
  if ((mode & 0o077) === 0) return []
  const shown = (mode & 0o777).toString(8)
  return [
    warn('configuration', `${path} can be read by others (mode ${shown}) and may hold a token`, `chmod 600 ${path}`),
  ]
}

/** The selected context and both URLs, before anything is asked of them. */
export const checkTargets: Check = async ({atom}) => {
  if (atom.configurationError) return []
  const {normalizeBaseUrl} = await import('@atomctl/sdk/http')
  const results: CheckResult[] = []
  const selected = atom.configuration.get('current_context')?.origin.where
  try {
    const context = atom.configuration.context()
    if (context) results.push(ok('context', `${context.name}${context.value.protected ? ', protected' : ''}`))
  } catch (error) {
    results.push(fail('context', error, 'atomctl context list', selected))
  }
  for (const key of ['registry_url', 'runtime_url'] as const) {
    const setting = atom.configuration.get(key)
    try {
      const url = normalizeBaseUrl(String(setting?.value), setting?.origin.where ?? key)
      const transport = checkTransport(key, url, atom.configuration.tokenFor(url) !== undefined)
      results.push({...transport, ...(transport.status === 'ok' || !setting ? {} : {where: setting.origin.where})})
    } catch (error) {
      results.push(fail(key, error, `atomctl config set ${key} URL`, setting?.origin.where))
    }
  }
  return results
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

function checkTransport(key: string, url: string, hasToken: boolean): CheckResult {
  const {protocol, hostname} = new URL(url)
  if (protocol === 'https:' || LOOPBACK.test(hostname) || !hasToken) return ok(key, url)
  return warn(key, `${url} gets the token unencrypted`, `atomctl config set ${key} ${url.replace('http:', 'https:')}`)
}
