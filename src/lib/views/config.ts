import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import type {SettingKey} from '@atomctl/sdk/config'
import type {SettingReport} from '../settings-report.ts'

const TITLES: Readonly<Record<SettingKey, string>> = {
  registry_url: 'Registry URL',
  runtime_url: 'Runtime URL',
  auth_token: 'Auth Token',
  signing_key: 'Signing Key',
  trust_policy: 'Trust Policy',
  plugin_trust: 'Plugin Trust List',
  output: 'Output',
  connect_timeout: 'Connect Timeout',
  request_timeout: 'Request Timeout',
  retry_attempts: 'Retry Attempts',
  current_context: 'Context',
  update_url: 'Update URL',
  update_key: 'Update Key',
  update_identity: 'Update Identity',
  update_issuer: 'Update Issuer',
  update_trusted_root: 'Update Trusted Root',
  update_notice: 'Update Notice',
}

/** The three settings of the seed's form are always shown. */
const ALWAYS: readonly SettingKey[] = ['registry_url', 'runtime_url', 'auth_token']

export interface ConfigResult {
  settings: SettingReport[]
  /** What this call wrote; of a token only that it was. */
  changed: {key: SettingKey; value: string | number | null}[]
}

/** What `config set` and `config unset` did; of a token only that it was. */
export interface SettingChange {
  key: SettingKey
  /** null: removed. */
  value: string | null
  file: string
  context?: string
}

export function configView(showOrigin: boolean): View<ConfigResult> {
  const lines = (result: ConfigResult, style: Style, all: boolean): string =>
    [
      ...changedLines(result, style),
      'Current Configuration:',
      ...result.settings
        .filter((setting) => all || isShown(setting))
        .map((setting) => settingLine(setting, showOrigin)),
    ].join('\n')
  return {
    kind: 'Configuration',
    text: (result, style) => lines(result, style, false),
    wide: (result, style) => lines(result, style, true),
    names: ({settings}) => settings.filter(({value}) => value !== null).map(({key}) => key),
    items: ({settings}) => settings,
  }
}

function changedLines({changed}: ConfigResult, style: Style): string[] {
  return changed.length === 0 ? [] : [...changed.map((change) => doneLine(change, style)), '']
}

function doneLine(
  {key, value, context}: Pick<SettingChange, 'key' | 'context'> & {value: unknown},
  style: Style,
): string {
  const what = context === undefined ? TITLES[key] : `${TITLES[key]} of context ${context}`
  if (value === null) return `${style.good('[SUCCESS]')} ${what} removed`
  return `${style.good('[SUCCESS]')} ${what} ${key === 'auth_token' ? 'updated' : `set to: ${oneLine(String(value))}`}`
}

function isShown({key, origin}: SettingReport): boolean {
  return ALWAYS.includes(key) || (origin !== undefined && origin.kind !== 'default')
}

function settingLine({key, value, secret, origin}: SettingReport, showOrigin: boolean): string {
  const shown = value === null ? 'not set' : secret ? 'set' : oneLine(String(value))
  const from = showOrigin && origin ? `  (${originText(origin)})` : ''
  return `  ${TITLES[key]}: ${shown}${from}`
}

function originText({kind, where, context}: NonNullable<SettingReport['origin']>): string {
  if (kind === 'default') return 'default'
  return context === undefined ? `${kind}: ${oneLine(where)}` : `${kind}, context ${context}: ${oneLine(where)}`
}

export const settingChangeView: View<SettingChange> = {
  kind: 'SettingChange',
  text: doneLine,
  names: ({key}) => [key],
}

/** The value alone, for scripts; nothing for a setting that is not set. */
export function settingView(showOrigin: boolean): View<SettingReport> {
  return {
    kind: 'Setting',
    text: ({value, origin}) => {
      if (value === null) return ''
      return showOrigin && origin ? `${oneLine(String(value))}\t${originText(origin)}` : oneLine(String(value))
    },
    names: ({value}) => (value === null ? [] : [String(value)]),
  }
}
