import {createHash} from 'node:crypto'
import {statSync} from 'node:fs'
import type {Configuration, Environment, OriginKind, SettingKey} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {anchor} from '@atomctl/sdk/trust'

/** A cloned repository is not the user: its `.atomctl.yaml` names neither a server to ask nor a signer to believe. */
export const OWN: ReadonlySet<OriginKind> = new Set(['environment', 'user'])

/** Where releases are and who signs them, as configured; nothing of it is checked yet. */
export interface UpdateSettings {
  readonly url: string
  /** Which setting says so, for errors. */
  readonly urlFrom: string
  /** Paths are absolute. */
  readonly key: string | undefined
  readonly identity: string | undefined
  readonly issuer: string | undefined
  readonly trustedRoot: string | undefined
}

/** Undefined without `update_url`: then nothing is ever asked. */
export function updateSettings(configuration: Configuration): UpdateSettings | undefined {
  const url = configuration.get('update_url', OWN)
  if (!url) return undefined
  const text = (key: SettingKey): string | undefined => configuration.get(key, OWN)?.value.toString()
  return {
    url: String(url.value),
    urlFrom: url.origin.where,
    key: path(configuration, 'update_key'),
    identity: text('update_identity'),
    issuer: text('update_issuer'),
    trustedRoot: path(configuration, 'update_trusted_root'),
  }
}

function path(configuration: Configuration, key: SettingKey): string | undefined {
  const setting = configuration.get(key, OWN)
  if (!setting || setting.value === 'public-good') return setting && 'public-good'
  return anchor(String(setting.value), setting.origin)
}

/** What switched the notice off; undefined when it is on. */
export function switchedOffBy(configuration: Configuration, environment: Environment): string | undefined {
  const variable = ['ATOMCTL_NO_UPDATE_NOTIFIER', 'NO_UPDATE_NOTIFIER'].find((name) => environment[name])
  if (variable !== undefined) return variable
  const setting = configuration.get('update_notice')
  return setting?.value === 'off' ? setting.origin.where : undefined
}

/** Names the server and the signer: what was learned with others does not count, nor with another key under the same name. */
export function sourceOf(settings: UpdateSettings): string {
  const files = [settings.key, settings.trustedRoot].map((file) => (file === undefined ? null : stamp(file)))
  return createHash('sha256')
    .update(JSON.stringify([settings, files]))
    .digest('hex')
}

function stamp(file: string): number[] | null {
  try {
    const {mtimeMs, size} = statSync(file)
    return [mtimeMs, size]
  } catch {
    return null
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** The folder of the release, without a trailing slash. @throws CONFIG_INVALID unless it is https, or on this machine */
export async function releaseUrl({url, urlFrom}: UpdateSettings): Promise<string> {
  const {normalizeBaseUrl} = await import('@atomctl/sdk/http')
  const base = normalizeBaseUrl(url, urlFrom)
  const {protocol, hostname} = new URL(base)
  if (protocol === 'https:' || LOOPBACK.test(hostname)) return base
  throw new AtomError('CONFIG_INVALID', `${urlFrom}: update_url has to start with https://, got ${base}`, {
    hint: `atomctl config set update_url ${base.replace(/^http:/, 'https:')}`,
  })
}
