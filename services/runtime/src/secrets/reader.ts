import type {Json, JsonObject} from '@atomctl/protocol/values'
import {formatSecretReference, type SecretReference} from '@atomctl/wpk/parameters'
import {SecretError} from './errors.ts'
import type {SecretSource} from './execution.ts'
import type {SecretNeed} from './needs.ts'
import {usable} from './value.ts'
import {Vault, type VaultOptions} from './vault.ts'

export interface SecretOptions {
  /** A text says why the Vault that is configured cannot be used. */
  readonly vault?: VaultOptions | string | undefined
  /** Paths of Vault that packages may have read, each with all that is below it; absent: all its token may read. */
  readonly vaultPaths?: readonly string[] | undefined
}

/** The only variables of the runtime that a package can reach. */
export const VARIABLE_PREFIX = 'ATOMCTL_SECRET_'

type Environment = Readonly<Record<string, string | undefined>>

/** Gives secrets their values. Keeps none. */
export class SecretReader implements SecretSource {
  readonly #environment: Environment
  readonly #options: SecretOptions
  readonly #vault: Vault | undefined

  constructor(environment: Environment, options: SecretOptions = {}) {
    this.#environment = environment
    this.#options = options
    this.#vault = typeof options.vault === 'object' ? new Vault(options.vault) : undefined
  }

  /** Why a secret could never be read here, as far as that can be told without reading it. */
  refuse({name, references}: SecretNeed): string | undefined {
    const refusals = references.map((reference) => this.#refusal(reference))
    if (refusals.length === 0) return `secret ${name}: nothing says where it is`
    return refusals.every((refusal) => refusal !== undefined) ? `secret ${name}: ${refusals.join('; ')}` : undefined
  }

  /** The values by name. Throws SecretError. */
  async read(needs: readonly SecretNeed[], signal: AbortSignal): Promise<Record<string, string>> {
    const paths = new Map<string, JsonObject>()
    const values: Record<string, string> = {}
    for (const need of needs) values[need.name] = await this.#first(need, paths, signal)
    return values
  }

  async close(): Promise<void> {
    await this.#vault?.close()
  }

  /** The next source is asked only when this one has nothing: an outage must not bring an older value back. */
  async #first(need: SecretNeed, paths: Map<string, JsonObject>, signal: AbortSignal): Promise<string> {
    const misses: string[] = []
    for (const reference of need.references) {
      try {
        const refusal = this.#refusal(reference)
        if (refusal !== undefined) throw new SecretError(refusalCode(reference, this.#options), refusal)
        return usable(await this.#look(reference, paths, signal), formatSecretReference(reference))
      } catch (error) {
        if (!(error instanceof SecretError)) throw error
        if (error.code !== 'SECRET_NOT_FOUND') throw named(need, error)
        misses.push(error.message)
      }
    }
    const reason = misses.join('; ') || 'nothing says where it is'
    throw named(need, new SecretError('SECRET_NOT_FOUND', reason))
  }

  #refusal(reference: SecretReference): string | undefined {
    if (reference.source === 'env') return undefined
    const {vault, vaultPaths} = this.#options
    if (typeof vault === 'string') return vault
    if (!vault) return 'this runtime has no Vault (VAULT_ADDR is not set)'
    const {path} = reference
    if (!vaultPaths || vaultPaths.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return undefined
    return `this runtime does not let packages read ${path} (ATOMCTL_VAULT_PATHS)`
  }

  async #look(reference: SecretReference, paths: Map<string, JsonObject>, signal: AbortSignal): Promise<Json> {
    if (reference.source === 'env') return this.#variable(reference.name)
    const {path, key} = reference
    const data = paths.get(path) ?? (await this.#vault?.read(path, signal)) ?? {}
    paths.set(path, data)
    if (Object.hasOwn(data, key)) return data[key] ?? null
    throw new SecretError('SECRET_NOT_FOUND', `${path} in Vault has no key ${key}`)
  }

  #variable(name: string): string {
    const variable = VARIABLE_PREFIX + name
    const value = this.#environment[variable]
    if (value !== undefined && value !== '') return value
    throw new SecretError('SECRET_NOT_FOUND', `the runtime's environment has no ${variable}`)
  }
}

/** Without a Vault its secrets may be elsewhere; what is forbidden is not looked for elsewhere. */
function refusalCode(reference: SecretReference, {vault}: SecretOptions): 'SECRET_NOT_FOUND' | 'SECRET_DENIED' {
  return reference.source === 'vault' && !vault ? 'SECRET_NOT_FOUND' : 'SECRET_DENIED'
}

function named({name}: SecretNeed, {code, message, isRetryable}: SecretError): SecretError {
  return new SecretError(code, `secret ${name}: ${message}`, {isRetryable})
}
