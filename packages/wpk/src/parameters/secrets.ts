import type {JsonObject} from '../canonical.ts'
import type {ParameterDeclaration} from './declarations.ts'
import {parameterNameOf, placeholdersIn} from './placeholders.ts'

/** Where the value of a secret is; the package says it, and nothing else ever stands in for the value. */
export type SecretReference =
  | {readonly source: 'vault'; readonly path: string; readonly key: string}
  | {readonly source: 'env'; readonly name: string}

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9_.@=+-]{1,128}$/
const KEY = /^[^\s#\p{Cc}]{1,128}$/u
const LONGEST = 1024

export function formatSecretReference(reference: SecretReference): string {
  return reference.source === 'env' ? `env:${reference.name}` : `vault:${reference.path}#${reference.key}`
}

/** A path of KV version 2 as its API has it: mount, `data`, and what is below. */
export function isVaultPath(path: string): boolean {
  const segments = path.split('/')
  return path.length <= LONGEST && segments.every((segment) => SEGMENT.test(segment)) && isKv2(segments)
}

export function isVaultKey(key: string): boolean {
  return KEY.test(key)
}

/** Mounts may have a path of several segments. */
function isKv2(segments: readonly string[]): boolean {
  return segments.slice(1, -1).includes('data')
}

type SecretDeclaration = Pick<ParameterDeclaration, 'name' | 'sources' | 'vault'>

/** Where the package itself says that its secret is, in the order in which to look. */
export function declaredReferences(declaration: SecretDeclaration): SecretReference[] {
  const {name, vault} = declaration
  return allowedSources(declaration).flatMap((source): SecretReference[] => {
    if (source === 'env') return [{source, name: name.toUpperCase()}]
    return vault ? [{source, path: vault.path, key: vault.key}] : []
  })
}

/** Without `sources`: Vault where the package names a place in it, else the environment. */
function allowedSources({sources, vault}: SecretDeclaration): ('vault' | 'env')[] {
  const named = sources ?? [vault ? 'vault' : 'env']
  return named.filter((source) => source === 'vault' || source === 'env')
}

/** Why anything given for a secret is refused; it is never repeated, because it may be the secret itself. */
export const SECRET_GIVEN = 'is a secret: the runtime reads it where the package says, and nobody passes its value'

/**
 * Which of the secrets a handler names: in a placeholder, in a command for a shell also as a variable. Only those are given
 * to it, so that a step holds no secret it has no use for.
 */
export function secretsNamedBy({type, config}: ConfiguredHandler, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const named = new Set(placeholdersIn(config).map(({name}) => parameterNameOf(name)))
  const command =
    (type === 'shell' || type === 'docker') && typeof config['command'] === 'string' ? config['command'] : ''
  return names.filter((name) => named.has(name) || mentionsVariable(command, name.toUpperCase()))
}

export function mentionsVariable(command: string, variable: string): boolean {
  return new RegExp(`(?<![A-Za-z0-9_])${variable}(?![A-Za-z0-9_])`).test(command)
}

/** Names of the parameters that are secrets, as a package declares them. */
export function secretNamesOf(declarations: readonly ParameterDeclaration[] | undefined): string[] {
  return (declarations ?? []).filter(({type}) => type === 'secret').map(({name}) => name)
}

type ConfiguredHandler = {readonly type: string; readonly config: JsonObject}

/**
 * The fields of a handler's config in which a secret may stand: what becomes an environment variable, a header, a body
 * or an object for the cluster. All others end in arguments, addresses or logs, which others can read.
 */
export function secretFields({type, config}: ConfiguredHandler): readonly string[] {
  if (type === 'shell') return ['command', 'env']
  if (type === 'api') return ['headers', 'payload']
  if (type === 'docker') return typeof config['command'] === 'string' ? ['command', 'env'] : ['env']
  if (type !== 'k8s') return []
  const {action} = config
  if (action === 'patch') return ['patch', 'data']
  return action === 'apply' || action === 'create' || action === 'job' ? ['manifest', 'template'] : []
}
