/** A key of the settings, as written in files and by `config set`. */
export const SETTING_KEYS = [
  'registry_url',
  'runtime_url',
  'auth_token',
  'signing_key',
  'trust_policy',
  'plugin_trust',
  'output',
  'connect_timeout',
  'request_timeout',
  'retry_attempts',
  'current_context',
  'update_url',
  'update_key',
  'update_identity',
  'update_issuer',
  'update_trusted_root',
  'update_notice',
] as const
export type SettingKey = (typeof SETTING_KEYS)[number]

export const DEFAULTS = {
  registry_url: 'http://localhost:8000',
  runtime_url: 'http://localhost:4000',
  connect_timeout: '5s',
  request_timeout: '30s',
  retry_attempts: 3,
} as const satisfies Partial<Record<SettingKey, string | number>>

/** The environment variable of each setting. */
export const VARIABLES: Readonly<Record<SettingKey, string>> = {
  registry_url: 'ATOMCTL_REGISTRY_URL',
  runtime_url: 'ATOMCTL_RUNTIME_URL',
  auth_token: 'ATOMCTL_AUTH_TOKEN',
  signing_key: 'ATOMCTL_KEY',
  trust_policy: 'ATOMCTL_TRUST_POLICY',
  plugin_trust: 'ATOMCTL_PLUGIN_TRUST',
  output: 'ATOMCTL_OUTPUT',
  connect_timeout: 'ATOMCTL_CONNECT_TIMEOUT',
  request_timeout: 'ATOMCTL_REQUEST_TIMEOUT',
  retry_attempts: 'ATOMCTL_RETRY_ATTEMPTS',
  current_context: 'ATOMCTL_CONTEXT',
  update_url: 'ATOMCTL_UPDATE_URL',
  update_key: 'ATOMCTL_UPDATE_KEY',
  update_identity: 'ATOMCTL_UPDATE_IDENTITY',
  update_issuer: 'ATOMCTL_UPDATE_ISSUER',
  update_trusted_root: 'ATOMCTL_UPDATE_TRUSTED_ROOT',
  update_notice: 'ATOMCTL_UPDATE_NOTICE',
}

/** Where a value came from, strongest kind first. */
export const ORIGINS = ['flag', 'environment', 'project', 'user', 'default'] as const
export type OriginKind = (typeof ORIGINS)[number]

export interface Origin {
  readonly kind: OriginKind
  /** The flag, the variable, or `file:line`. */
  readonly where: string
  /** The named context the value belongs to, if any. */
  readonly context?: string
}

export interface Setting<T = string> {
  readonly value: T
  readonly origin: Origin
}

/** One source of settings; `values` holds only what the source says. */
export interface Layer {
  readonly kind: OriginKind
  readonly context?: string
  readonly values: Readonly<Partial<Record<SettingKey, string | number>>>
  where(key: SettingKey): string
}
