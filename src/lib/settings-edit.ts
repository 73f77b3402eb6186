import {editConfigurationFile, SETTING_KEYS, type SettingKey, userConfigurationPath} from '@atomctl/sdk/config'
import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError} from '@atomctl/sdk/errors'
import {suggestName} from '@atomctl/sdk/suggest'

const IN_CONTEXTS: readonly SettingKey[] = ['registry_url', 'runtime_url', 'auth_token']

export interface SettingEdit {
  readonly key: SettingKey
  /** undefined removes the setting. */
  readonly value: string | undefined
}

/** The setting a name on the command line means; hyphens are as good as underscores. @throws USAGE with a suggestion */
export function settingKey(name: string): SettingKey {
  const key = name.replaceAll('-', '_')
  const found = SETTING_KEYS.find((known) => known === key)
  if (found) return found
  const nearest = suggestName(key, SETTING_KEYS)
  throw new AtomError('USAGE', `there is no setting ${JSON.stringify(name)}`, {
    hint: nearest ? `did you mean ${nearest}?` : `the settings are: ${SETTING_KEYS.join(', ')}`,
  })
}

/** Changes settings in the user's configuration file, at its top level or inside a named context. */
export async function editSettings(
  atom: AtomContext,
  edits: readonly SettingEdit[],
  context?: string,
): Promise<string> {
  const path = userConfigurationPath(atom.environment)
  if (context !== undefined) {
    requireContextKeys(edits)
    requireOwnContext(atom, context)
  }
  const prefix = context === undefined ? [] : ['contexts', context]
  await editConfigurationFile(
    path,
    edits.map(({key, value}) => ({path: [...prefix, key], value: typed(key, value)})),
  )
  return path
}

function typed(key: SettingKey, value: string | undefined): string | number | undefined {
  return key === 'retry_attempts' && value !== undefined && /^\d+$/.test(value) ? Number(value) : value
}

function requireContextKeys(edits: readonly SettingEdit[]): void {
  const foreign = edits.find(({key}) => !IN_CONTEXTS.includes(key))
  if (!foreign) return
  throw new AtomError('USAGE', `a context holds no ${foreign.key}`, {
    hint: `a context holds: ${IN_CONTEXTS.join(', ')}`,
  })
}

/** @throws CONFIG_INVALID unless the user's own file defines the context */
export function requireOwnContext(atom: AtomContext, name: string): void {
  const contexts = Object.keys(atom.sources.user?.value.contexts ?? {})
  if (contexts.includes(name)) return
  const nearest = suggestName(name, contexts)
  throw new AtomError('CONFIG_INVALID', `your configuration has no context ${JSON.stringify(name)}`, {
    hint: nearest ? `did you mean ${nearest}?` : `atomctl context create ${name}`,
    details: {contexts},
  })
}
