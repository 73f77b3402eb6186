export {Configuration, type NamedContext} from './configuration.ts'
export {type Environment, homeOf, isCi, processEnvironment} from './environment.ts'
export {
  type ConfigurationSources,
  type FlagValues,
  loadSources,
  resolveConfiguration,
  userConfigurationPath,
} from './load.ts'
export {type Origin, type OriginKind, type Setting, SETTING_KEYS, type SettingKey, VARIABLES} from './settings.ts'
export {type ConfigurationEdit, editConfigurationFile} from './store.ts'
