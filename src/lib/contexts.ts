import {type Configuration, editConfigurationFile, type NamedContext, userConfigurationPath} from '@atomctl/sdk/config'
import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError} from '@atomctl/sdk/errors'
import {suggestName} from '@atomctl/sdk/suggest'

/** A named target as `context list` shows it; of its token only whether there is one. */
export interface ContextEntry {
  name: string
  current: boolean
  registryUrl: string | null
  runtimeUrl: string | null
  token: boolean
  protected: boolean
  /** `file:line:column`. */
  origin: string
}

export function listContexts(configuration: Configuration): ContextEntry[] {
  return [...configuration.contexts.values()].map((context) => describeContext(context, configuration.contextName))
}

function describeContext({name, value, origin}: NamedContext, current: string | undefined): ContextEntry {
  return {
    name,
    current: name === current,
    registryUrl: value.registry_url ?? null,
    runtimeUrl: value.runtime_url ?? null,
    token: value.auth_token !== undefined,
    protected: value.protected ?? false,
    origin: origin.where,
  }
}

export interface NewContext {
  readonly registryUrl: string | undefined
  readonly runtimeUrl: string | undefined
  readonly token: string | undefined
  readonly protected: boolean
}

/** Adds a context to the user's configuration file. @throws USAGE, CONFLICT, CONFIG_INVALID */
export async function createContext(
  atom: AtomContext,
  name: string,
  context: NewContext,
  {force, use}: {force: boolean; use: boolean},
): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new AtomError('USAGE', `${JSON.stringify(name)} cannot be the name of a context`, {
      hint: 'use letters, digits and . _ - (63 at most), a letter or digit first',
    })
  }
  if (atom.configuration.contexts.has(name) && !force) {
    throw new AtomError('CONFLICT', `there is a context ${name} already`, {hint: 'add --force to replace it'})
  }
  const {registryUrl, runtimeUrl, token} = context
  const value = {
    ...(registryUrl === undefined ? {} : {registry_url: registryUrl}),
    ...(runtimeUrl === undefined ? {} : {runtime_url: runtimeUrl}),
    ...(token === undefined ? {} : {auth_token: token}),
    ...(context.protected ? {protected: true} : {}),
  }
  await editConfigurationFile(userConfigurationPath(atom.environment), [
    {path: ['contexts', name], value},
    ...(use ? [{path: ['current_context'], value: name}] : []),
  ])
}

/** Makes a context the one that commands use. @throws CONFIG_INVALID when no file defines it */
export async function selectContext(atom: AtomContext, name: string): Promise<void> {
  requireContext(atom.configuration, name)
  await editConfigurationFile(userConfigurationPath(atom.environment), [{path: ['current_context'], value: name}])
}

/** Removes a context from the user's configuration file; if it was current, none is. */
export async function deleteContext(atom: AtomContext, name: string, confirmed: string | undefined): Promise<void> {
  const {value, origin} = requireContext(atom.configuration, name)
  if (origin.kind !== 'user') {
    throw new AtomError('CONFLICT', `the context ${name} is defined in ${origin.where}`, {hint: 'edit that file'})
  }
  if (value.protected && confirmed !== name) {
    throw new AtomError('PROTECTED_CONTEXT', `the context ${name} is protected`, {hint: `add --confirm ${name}`})
  }
  const current = atom.sources.user?.value.current_context === name
  await editConfigurationFile(userConfigurationPath(atom.environment), [
    {path: ['contexts', name], value: undefined},
    ...(current ? [{path: ['current_context'], value: undefined}] : []),
  ])
}

function requireContext({contexts}: Configuration, name: string): NamedContext {
  const found = contexts.get(name)
  if (found) return found
  const names = [...contexts.keys()]
  const nearest = suggestName(name, names)
  throw new AtomError('CONFIG_INVALID', `there is no context named ${JSON.stringify(name)}`, {
    hint: nearest ? `did you mean ${nearest}?` : 'atomctl context list',
    details: {contexts: names},
  })
}
