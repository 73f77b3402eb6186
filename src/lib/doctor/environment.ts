import {accessSync, constants, existsSync, realpathSync} from 'node:fs'
import {access} from 'node:fs/promises'
import {delimiter, join, sep} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import {type Check, type CheckResult, fail, ok, warn} from './check.ts'

/** Variables that change what Node.js and atomctl do behind the configuration's back. */
export const checkEnvironment: Check = async ({atom: {environment}}) => {
  const results = [...checkTls(environment), ...checkProxies(environment), ...checkLocale(environment)]
  return results.length > 0 ? results : [ok('environment', 'nothing that stands in the way')]
}

function checkTls({NODE_TLS_REJECT_UNAUTHORIZED: reject, NODE_EXTRA_CA_CERTS: extra}: Environment): CheckResult[] {
  const results: CheckResult[] = []
  const fix = (variable: string): string => `unset ${variable}   # a private authority: export SSL_CERT_FILE=FILE`
  if (reject === '0') {
    const problem = new Error('TLS certificates are not checked: whoever is on the way can read the token')
    const name = 'NODE_TLS_REJECT_UNAUTHORIZED'
    results.push(fail('environment', problem, fix(name), name))
  }
  if (extra !== undefined && extra !== '' && !existsSync(extra)) {
    const problem = new Error(`the certificates of ${extra} are not trusted: there is no such file`)
    results.push(fail('environment', problem, fix('NODE_EXTRA_CA_CERTS'), 'NODE_EXTRA_CA_CERTS'))
  }
  return results
}

const PROXIES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']

// The value may hold a password: only the variable is named.
function checkProxies(environment: Environment): CheckResult[] {
  const unusable = PROXIES.filter((name) => environment[name] && !/^https?:$/.test(protocolOf(environment[name])))
  return unusable.map((name) =>
    fail('environment', new Error(`${name} is not a URL of a proxy`), `export ${name}=http://HOST:PORT`, name),
  )
}

function protocolOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).protocol : ''
}

// The order in which POSIX has them count; unset is the C locale, which programs of today read as UTF-8.
function checkLocale(environment: Environment): CheckResult[] {
  const name = ['LC_ALL', 'LC_CTYPE', 'LANG'].find((variable) => environment[variable])
  const locale = name === undefined ? '' : (environment[name] ?? '')
  if (name === undefined || !locale.includes('.') || /utf-?8/i.test(locale)) return []
  return [warn('environment', `${locale} is not UTF-8: names may show wrongly`, `export ${name}=C.UTF-8`, name)]
}

/** Whether typing `atomctl` starts this one. */
export const checkPath: Check = async ({atom: {environment}, config}) => {
  if (process.platform === 'win32') return []
  const found = (environment['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'atomctl'))
  const first = found.find(isExecutable)
  if (first === undefined || realpathSync(first).startsWith(realpathSync(config.root) + sep)) return []
  const message = `atomctl starts ${first}, which is not this one (${config.root})`
  return [warn('path', message, `rm ${first}   # or put the other directory first in PATH`, first)]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Settings, logins and the trust policy are written there. A directory that is not there yet is made when needed. */
export const checkHome: Check = async ({atom: {environment}}) => {
  const home = homeOf(environment)
  try {
    await access(`${home}${sep}.`, constants.W_OK | constants.X_OK)
    return [ok('home', home)]
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    return [fail('home', new Error(`${home} is no directory that can be written (${code})`), `ls -ld ${home}`, home)]
  }
}
