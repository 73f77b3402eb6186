import {readFile} from 'node:fs/promises'
import {parseDuration} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import type {Configuration} from './config/configuration.ts'
import type {Environment} from './config/environment.ts'
import type {SettingKey} from './config/settings.ts'
import type {HttpOptions} from './http/index.ts'

const BASE_DELAY = 200

/** Time-outs, retries, proxies and extra CA certificates, as configured (CLI contract, Settings). */
export async function httpOptionsOf(
  configuration: Configuration,
  environment: Environment,
): Promise<Omit<HttpOptions, 'userAgent'>> {
  const extraCertificates = await readCertificates(environment)
  const proxy = proxyOf(environment)
  return {
    connectTimeout: milliseconds(configuration, 'connect_timeout'),
    requestTimeout: milliseconds(configuration, 'request_timeout'),
    retry: {maxAttempts: Number(configuration.text('retry_attempts')), baseDelay: BASE_DELAY},
    ...(proxy ? {proxy} : {}),
    ...(extraCertificates === undefined ? {} : {extraCertificates}),
  }
}

function milliseconds(configuration: Configuration, key: SettingKey): number {
  const setting = configuration.get(key)
  const value = parseDuration(String(setting?.value))
  if (value !== undefined && value > 0) return value
  throw new AtomError(
    'CONFIG_INVALID',
    `${setting?.origin.where}: ${JSON.stringify(setting?.value)} is not a duration`,
    {
      hint: 'write it like 500ms, 5s or 1m30s',
    },
  )
}

function proxyOf(environment: Environment): HttpOptions['proxy'] {
  const http = environment['http_proxy'] || environment['HTTP_PROXY']
  const https = environment['https_proxy'] || environment['HTTPS_PROXY']
  const noProxy = environment['no_proxy'] || environment['NO_PROXY']
  if (!http && !https) return undefined
  return {...(http ? {http} : {}), ...(https ? {https} : {}), ...(noProxy ? {noProxy} : {})}
}

// NODE_EXTRA_CA_CERTS is read by Node itself; SSL_CERT_FILE is what the other tools of the field read.
async function readCertificates(environment: Environment): Promise<string | undefined> {
  const file = environment['SSL_CERT_FILE']
  if (!file) return undefined
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AtomError('CONFIG_INVALID', `SSL_CERT_FILE: cannot read ${file}`, {cause})
  })
}
