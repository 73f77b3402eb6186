import {
  type Configuration,
  loadSources,
  type Origin,
  resolveConfiguration,
  SETTING_KEYS,
  type SettingKey,
} from '@atomctl/sdk/config'
import type {AtomContext} from '@atomctl/sdk/context'
import type {SettingEdit} from './settings-edit.ts'

/** One setting in force; of a token only that there is one. */
export interface SettingReport {
  key: SettingKey
  value: string | number | null
  secret: boolean
  origin?: Origin
}

/** The settings in force, read afresh from the files. @throws CONFIG_INVALID */
export async function readSettings(atom: AtomContext, context?: string): Promise<Configuration> {
  const sources = await loadSources(atom.environment, process.cwd())
  return resolveConfiguration(sources, context === undefined ? {} : {current_context: context})
}

export function reportSettings(configuration: Configuration): SettingReport[] {
  return SETTING_KEYS.map((key) => reportSetting(configuration, key))
}

export function reportSetting(configuration: Configuration, key: SettingKey): SettingReport {
  const setting = configuration.get(key)
  const secret = key === 'auth_token'
  if (!setting) return {key, value: null, secret}
  return {key, value: secret ? 'set' : setting.value, secret, origin: setting.origin}
}

/** Says which of the settings just written another source overrides. */
export function overriddenSettings(
  configuration: Configuration,
  edits: readonly SettingEdit[],
  context?: string,
): string[] {
  return edits.flatMap(({key, value}) => {
    const origin = configuration.get(key)?.origin
    if (value === undefined || !origin || (origin.kind === 'user' && origin.context === context)) return []
    const by = origin.context === undefined ? origin.where : `the context ${origin.context}`
    return [`${key} is written, but ${by} overrides it`]
  })
}
