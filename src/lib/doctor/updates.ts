import type {SettingKey} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {isOffered} from '../update/listing.ts'
import {releaseUrl, sourceOf, switchedOffBy, updateSettings} from '../update/settings.ts'
import {readState, statePath} from '../update/state.ts'
import {type Check, type CheckResult, fail, ok, warn} from './check.ts'

const CHECK = 'updates'
const AGAIN = 'atomctl version --check'
const NAMED: readonly SettingKey[] = [
  'update_url',
  'update_key',
  'update_identity',
  'update_issuer',
  'update_trusted_root',
]

/** Whether new versions are heard of, and if not, why: what the last check met is otherwise told to nobody. Asks nothing. */
export const checkUpdates: Check = async ({atom, config}) => {
  if (atom.configurationError) return []
  const {configuration, environment} = atom
  const ignored = ignoredSettings(atom)
  const settings = updateSettings(configuration)
  if (!settings) return [...ignored, ok(CHECK, 'not asked for: no update_url')]
  try {
    await releaseUrl(settings)
  } catch (error) {
    return [...ignored, fail(CHECK, error, 'atomctl config set update_url URL', settings.urlFrom)]
  }
  const off = switchedOffBy(configuration, environment)
  const state = readState(statePath(environment), sourceOf(settings))
  if (state?.failure) {
    const {code, message} = state.failure
    return [...ignored, fail(CHECK, new AtomError('CHECK_FAILED', `${code} at ${time(state.at)}: ${message}`), AGAIN)]
  }
  const known =
    state?.version === undefined
      ? 'not asked yet'
      : `${verdict(state.version, config.version)}, asked at ${time(state.at)}`
  return [...ignored, ok(CHECK, off === undefined ? known : `${known}; no notice: switched off by ${off}`)]
}

function ignoredSettings({configuration}: Parameters<Check>[0]['atom']): CheckResult[] {
  return NAMED.flatMap((key) => {
    const setting = configuration.get(key, new Set(['project']))
    const message = `${key} of a project is ignored: a project chooses neither the server nor the signer`
    return setting ? [warn(CHECK, message, `atomctl config set ${key} VALUE`, setting.origin.where)] : []
  })
}

function verdict(listed: string, running: string): string {
  return isOffered(listed, running) ? `${listed} is available` : `${running} is the newest`
}

function time(at: number): string {
  return new Date(at).toISOString()
}
