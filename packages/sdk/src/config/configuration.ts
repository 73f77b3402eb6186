import {AtomError} from '@atomctl/wpk/errors'
import {suggestName} from '@atomctl/wpk/suggestion'
import type {ContextFile} from './schema.ts'
import {DEFAULTS, type Layer, type Origin, type OriginKind, type Setting, type SettingKey} from './settings.ts'

/** A named target: which registry and runtime, with which token. */
export interface NamedContext {
  readonly name: string
  readonly value: ContextFile
  readonly origin: Origin
}

/**
 * The resolved settings, strongest layer first (CLI contract: flag > ATOMCTL_* > project > user > default;
 * inside one file the selected context before the top level).
 */
export class Configuration {
  readonly layers: readonly Layer[]
  readonly contexts: ReadonlyMap<string, NamedContext>
  /** Name of the selected context, if one is selected. */
  readonly contextName: string | undefined

  constructor(layers: readonly Layer[], contexts: ReadonlyMap<string, NamedContext>, contextName?: string) {
    this.layers = layers
    this.contexts = contexts
    this.contextName = contextName
  }

  /** The strongest value of a key and where it came from. */
  get(key: SettingKey, kinds?: ReadonlySet<OriginKind>): Setting<string | number> | undefined {
    for (const layer of this.layers) {
      const value = layer.values[key]
      if (value === undefined || (kinds && !kinds.has(layer.kind))) continue
      const origin = {kind: layer.kind, where: layer.where(key), ...(layer.context ? {context: layer.context} : {})}
      return {value, origin}
    }
    return undefined
  }

  /** A string setting; defaults included. */
  text(key: SettingKey): string | undefined {
    const value = this.get(key)?.value
    return value === undefined ? undefined : String(value)
  }

  /** The selected context. @throws CONFIG_INVALID when a name is selected that no file defines. */
  context(): NamedContext | undefined {
    if (this.contextName === undefined) return undefined
    const found = this.contexts.get(this.contextName)
    if (found) return found
    const names = [...this.contexts.keys()]
    const nearest = suggestName(this.contextName, names)
    throw new AtomError('CONFIG_INVALID', `there is no context named ${JSON.stringify(this.contextName)}`, {
      hint: nearest === undefined ? 'atomctl context list' : `did you mean ${nearest}?`,
      details: {contexts: names},
    })
  }

  /**
   * The token for a URL, or undefined: a token goes only to the origin it was configured for. One from the
   * environment is the caller's own and follows the caller's URLs, but never one that a project file names.
   */
  tokenFor(url: string): string | undefined {
    const token = this.get('auth_token')
    if (!token) return undefined
    const allowed = this.#targetsOf(token.origin).some((candidate) => new URL(candidate).origin === new URL(url).origin)
    return allowed ? String(token.value) : undefined
  }

  #targetsOf(origin: Origin): string[] {
    const layers = this.layers.filter((layer) => mayUse(origin, layer))
    return (['registry_url', 'runtime_url'] as const).flatMap((key) => {
      const own = layers.find((layer) => layer.values[key] !== undefined)?.values[key]
      return own === undefined ? [] : [String(own)]
    })
  }
}

/** Whether a token of this origin was configured together with the URLs of that layer. */
function mayUse(token: Origin, layer: Layer): boolean {
  if (token.kind === 'environment' || token.kind === 'flag') return layer.kind !== 'project'
  if (layer.kind === 'default') return token.kind === 'user'
  return layer.kind === token.kind && (token.context === undefined ? layer.context === undefined : true)
}

/** The layer of built-in values. */
export const defaultLayer: Layer = {kind: 'default', values: DEFAULTS, where: () => 'default'}
