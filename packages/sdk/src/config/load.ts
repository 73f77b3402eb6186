import {dirname, join, parse, resolve} from 'node:path'
import {AtomError} from '@atomctl/wpk/errors'
import {Configuration, defaultLayer, type NamedContext} from './configuration.ts'
import {type Environment, homeOf} from './environment.ts'
import {type LoadedFile, loadConfigurationFile} from './file.ts'
import {type Layer, SETTING_KEYS, type SettingKey, VARIABLES} from './settings.ts'

export type FlagValues = Readonly<Partial<Record<SettingKey, string>>>

/** The files that make up the configuration of one process; read once, layered per command. */
export interface ConfigurationSources {
  readonly environment: Environment
  readonly user: LoadedFile | undefined
  readonly project: LoadedFile | undefined
}

/** Path of the user's configuration file. */
export function userConfigurationPath(environment: Environment): string {
  return environment['ATOMCTL_CONFIG'] || join(homeOf(environment), 'config.yaml')
}

/** Reads the user's and the project's file. @throws CONFIG_INVALID naming file, line and key. */
export async function loadSources(environment: Environment, directory: string): Promise<ConfigurationSources> {
  const [user, project] = await Promise.all([
    loadConfigurationFile(userConfigurationPath(environment)),
    findProjectFile(directory),
  ])
  return {environment, user, project}
}

/** Nearest `.atomctl.yaml` from the directory upwards. */
async function findProjectFile(directory: string): Promise<LoadedFile | undefined> {
  for (let current = resolve(directory); ; current = dirname(current)) {
    const found = await loadConfigurationFile(join(current, '.atomctl.yaml'))
    if (found || current === parse(current).root) return found
  }
}

/** Lays flags over environment over files over defaults. */
export function resolveConfiguration(sources: ConfigurationSources, flags: FlagValues = {}): Configuration {
  const {environment, project, user} = sources
  const contexts = collectContexts(project, user)
  const name =
    flags.current_context ??
    environment[VARIABLES.current_context] ??
    project?.value.current_context ??
    user?.value.current_context
  const layers = [
    flagLayer(flags),
    environmentLayer(environment),
    ...fileLayers('project', project, name),
    ...fileLayers('user', user, name),
    defaultLayer,
  ]
  return new Configuration(layers, contexts, name || undefined)
}

function collectContexts(...files: (LoadedFile | undefined)[]): Map<string, NamedContext> {
  const contexts = new Map<string, NamedContext>()
  for (const [index, file] of files.entries()) {
    for (const [name, value] of Object.entries(file?.value.contexts ?? {})) {
      if (!file) continue
      const stronger = contexts.get(name)
      if (stronger) {
        // a project may say where a context leads, and not that nobody has to be asked
        if (value.protected) contexts.set(name, {...stronger, value: {...stronger.value, protected: true}})
        continue
      }
      const kind = index === 0 ? 'project' : 'user'
      contexts.set(name, {name, value, origin: {kind, where: file.locate(`contexts.${name}`), context: name}})
    }
  }
  return contexts
}

function flagLayer(values: FlagValues): Layer {
  return {kind: 'flag', values, where: (key) => `--${key === 'current_context' ? 'context' : key.replaceAll('_', '-')}`}
}

function environmentLayer(environment: Environment): Layer {
  const values: Partial<Record<SettingKey, string>> = {}
  for (const key of SETTING_KEYS) {
    const text = environment[VARIABLES[key]]
    if (text !== undefined && text !== '') values[key] = checkVariable(key, text)
  }
  return {kind: 'environment', values, where: (key) => VARIABLES[key]}
}

function checkVariable(key: SettingKey, text: string): string {
  const attempts = Number(text)
  if (key !== 'retry_attempts' || (Number.isInteger(attempts) && attempts >= 1 && attempts <= 10)) return text
  throw new AtomError('CONFIG_INVALID', `${VARIABLES[key]} is ${JSON.stringify(text)}, not a whole number from 1 to 10`)
}

function fileLayers(kind: 'project' | 'user', file: LoadedFile | undefined, context: string | undefined): Layer[] {
  if (!file) return []
  const top: Layer = {kind, values: pickSettings(file.value), where: (key) => file.locate(key)}
  const selected = context === undefined ? undefined : file.value.contexts?.[context]
  if (!selected || context === undefined) return [top]
  const where = (key: SettingKey): string => file.locate(`contexts.${context}.${key}`)
  return [{kind, context, values: pickSettings(selected), where}, top]
}

function pickSettings(value: object): Layer['values'] {
  const values = value as Record<string, unknown>
  return Object.fromEntries(
    SETTING_KEYS.flatMap((key) => (values[key] == null || values[key] === '' ? [] : [[key, values[key]]])),
  )
}
