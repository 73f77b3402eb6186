import {type Configuration, editConfigurationFile, type Environment, userConfigurationPath} from '@atomctl/sdk/config'
import {isLoopback} from './listener.ts'
import type {ServicesState} from './state.ts'

type Target = Readonly<Partial<Record<'registry_url' | 'runtime_url' | 'auth_token', string>>>

/** Name of the context that points at the background services, and whether commands use it by themselves. */
export interface DevContext {
  readonly name: string
  readonly current: boolean
}

/**
 * Writes the context of the background services into the user's configuration, only where it differs. It becomes
 * current when nothing else was chosen: no context, and no URL in any file, variable or flag.
 * @throws CONFIG_INVALID, OUTPUT_FAILED
 */
export async function writeContext(
  services: Pick<ServicesState, 'registry_url' | 'runtime_url'>,
  token: string,
  configuration: Configuration,
  environment: Environment,
): Promise<DevContext> {
  const name = chooseName(configuration)
  const target: Target = {registry_url: services.registry_url, runtime_url: services.runtime_url, auth_token: token}
  const present = configuration.contexts.get(name)?.value as Target | undefined
  const changes = (Object.keys(target) as (keyof Target)[]).filter((key) => present?.[key] !== target[key])
  const current = configuration.contextName === name || !hasOtherTarget(configuration)
  const edits = [
    ...changes.map((key) => ({path: ['contexts', name, key], value: target[key]})),
    ...(current && configuration.contextName !== name ? [{path: ['current_context'], value: name}] : []),
  ]
  if (edits.length > 0) await editConfigurationFile(userConfigurationPath(environment), edits)
  return {name, current}
}

// A context called dev that points elsewhere is somebody's work, not ours to overwrite.
function chooseName({contexts}: Configuration): string {
  const taken = contexts.get('dev')
  if (!taken) return 'dev'
  const {registry_url: registry, runtime_url: runtime, protected: isProtected} = taken.value
  const isOurs = [registry, runtime].every((url) => typeof url === 'string' && isLoopback(hostOf(url)))
  return isOurs && !isProtected && taken.origin.kind === 'user' ? 'dev' : 'dev-local'
}

function hasOtherTarget(configuration: Configuration): boolean {
  if (configuration.contextName !== undefined) return true
  return (['registry_url', 'runtime_url'] as const).some((key) => configuration.get(key)?.origin.kind !== 'default')
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}
