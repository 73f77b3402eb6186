import type {Interfaces} from '@oclif/core'
import type {TokenIdentity} from '@atomctl/protocol/identity'
import {AtomError} from '@atomctl/wpk/errors'
import type {Configuration} from './config/configuration.ts'
import type {Environment} from './config/environment.ts'
import {type ConfigurationSources, type FlagValues, resolveConfiguration} from './config/load.ts'
import type {GatePass, SignatureRequirement, VerifiedPackage} from './gate.ts'
import type {HttpClient} from './http/index.ts'
import type {RegistryClient} from './registry/index.ts'
import type {RuntimeClient} from './runtime/index.ts'
import {loadPoliciesInForce, type PolicyInForce} from './trust.ts'

/** Ctrl-C and SIGTERM, as a command sees them. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** While `work` runs, a signal aborts `signal` and the process waits a few seconds instead of ending at once. */
  defer<T>(work: () => Promise<T>): Promise<T>
}

export interface ClientOptions {
  uninterrupted?: boolean
  /** Milliseconds after which everything that is asked is given up; default: never. */
  patience?: number
}

/**
 * What the hooks learn and the commands need, one per process: configuration, clients, the signature gate,
 * the interrupt signal. The only place that constructs clients.
 */
export class AtomContext {
  readonly environment: Environment
  readonly interruption: Interruption
  /** Set by the prerun hook when every package the command names was verified. */
  gate: GatePass | undefined
  /** Extra warnings, shown on stderr and in every envelope. */
  readonly warnings: string[] = []
  readonly userAgent: string

  readonly #sources: ConfigurationSources | AtomError
  #configuration: Configuration | undefined
  #http: Promise<HttpClient> | undefined
  #debug: ((line: string) => void) | undefined

  constructor(options: {
    environment: Environment
    sources: ConfigurationSources | AtomError
    interruption: Interruption
    userAgent: string
  }) {
    this.environment = options.environment
    this.interruption = options.interruption
    this.userAgent = options.userAgent
    this.#sources = options.sources
  }

  /** Why the configuration files cannot be used, if they cannot. */
  get configurationError(): AtomError | undefined {
    return this.#sources instanceof Error ? this.#sources : undefined
  }

  /** The files behind the configuration. @throws CONFIG_INVALID */
  get sources(): ConfigurationSources {
    if (this.#sources instanceof Error) throw this.#sources
    return this.#sources
  }

  /** The settings with the flags of the running command on top. @throws CONFIG_INVALID */
  get configuration(): Configuration {
    this.#configuration ??= resolveConfiguration(this.sources)
    return this.#configuration
  }

  /** Lays the running command's flags over the settings. */
  applyFlags(flags: FlagValues, debug?: (line: string) => void): void {
    this.#configuration = this.configurationError ? undefined : resolveConfiguration(this.sources, flags)
    this.#debug = debug
  }

  /** The policies every package must satisfy. @throws TRUST_POLICY_INVALID */
  trustPolicies(): Promise<PolicyInForce[]> {
    return loadPoliciesInForce(this.configuration, this.environment)
  }

  /**
   * Verifies packages that a command only finds while it runs, as the prerun hook does with those that its arguments
   * name. Here and not in the command, because a plugin may bring its own copy of the SDK, and this one's clients
   * accept only what this one verified.
   * @throws the first refusal: WPK_INVALID, WPK_UNSIGNED, WPK_TAMPERED, SIGNER_UNTRUSTED, …
   */
  async verify(
    subjects: readonly string[],
    requirement: SignatureRequirement,
  ): Promise<ReadonlyMap<string, VerifiedPackage>> {
    const {verifySubjects} = await import('./enforcement.ts')
    return verifySubjects(subjects, requirement, this)
  }

  /** Base URL of the registry in force, without a trailing slash. */
  async registryUrl(): Promise<string> {
    return this.#url('registry_url')
  }

  /** The same, unless a project's file named it: then nobody but whoever wrote that file chose it. */
  async ownRegistryUrl(): Promise<string | undefined> {
    return this.configuration.get('registry_url')?.origin.kind === 'project' ? undefined : this.registryUrl()
  }

  /**
   * Whose token a service takes this one for (default: the one in force); undefined when the service does not say.
   * @throws NOT_AUTHENTICATED, TOKEN_EXPIRED, UNAVAILABLE
   */
  async identify(name: 'registry' | 'runtime', token?: string): Promise<TokenIdentity | undefined> {
    const [{createService, readIdentity}, http] = await Promise.all([import('./http/index.ts'), this.http()])
    const key = `${name}_url` as const
    const target = token === undefined ? await this.#target(key) : {baseUrl: await this.#url(key), token}
    return readIdentity(createService(name, http, {...target, signal: this.interruption.signal}))
  }

  async registry({patience}: Pick<ClientOptions, 'patience'> = {}): Promise<RegistryClient> {
    const [{createRegistryClient}, http, target] = await Promise.all([
      import('./registry/index.ts'),
      this.http(),
      this.#target('registry_url'),
    ])
    return createRegistryClient({http, target: {...target, signal: this.#stop(patience)}})
  }

  /** The runtime in force. @param options.uninterrupted a client for what must still be said after Ctrl-C */
  async runtime(options: ClientOptions = {}): Promise<RuntimeClient> {
    return this.runtimeAt(await this.#target('runtime_url'), options)
  }

  /** A runtime that is not configured, such as one inside this process. */
  async runtimeAt(
    target: {baseUrl: string; token?: string},
    {uninterrupted = false, patience}: ClientOptions = {},
  ): Promise<RuntimeClient> {
    const [{createRuntimeClient}, http] = await Promise.all([import('./runtime/index.ts'), this.http()])
    const signal = this.#stop(patience)
    return createRuntimeClient({http, target: uninterrupted ? target : {...target, signal}})
  }

  /** What stops requests: Ctrl-C, and the end of our patience. */
  #stop(patience: number | undefined): AbortSignal {
    const {signal} = this.interruption
    return patience === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(patience)])
  }

  /** The one HTTP client of the process. */
  http(): Promise<HttpClient> {
    this.#http ??= this.#createHttp()
    return this.#http
  }

  /** Closes connections so that the process can end at once. */
  async close(): Promise<void> {
    await (await this.#http)?.close()
  }

  async #createHttp(): Promise<HttpClient> {
    const [{createHttpClient}, {httpOptionsOf}] = await Promise.all([import('./http/index.ts'), import('./network.ts')])
    const options = await httpOptionsOf(this.configuration, this.environment)
    return createHttpClient({...options, userAgent: this.userAgent, ...(this.#debug ? {debug: this.#debug} : {})})
  }

  async #url(key: 'registry_url' | 'runtime_url'): Promise<string> {
    // Not the room's index: what works offline must not wait for the HTTP client to load.
    const {normalizeBaseUrl} = await import('./http/url.ts')
    const setting = this.configuration.get(key)
    return normalizeBaseUrl(String(setting?.value), setting?.origin.where ?? key)
  }

  /** What `atomctl login` left for this origin; a token of the settings goes before it. */
  async #loginToken(baseUrl: string): Promise<string | undefined> {
    const [{access}, {credentialsPath}] = await Promise.all([
      import('node:fs/promises'),
      import('./credentials/file.ts'),
    ])
    const isThere = await access(credentialsPath(this.environment)).then(
      () => true,
      () => false,
    )
    if (!isThere) return undefined
    const {loginToken} = await import('./credentials/token.ts')
    return loginToken({
      environment: this.environment,
      origin: new URL(baseUrl).origin,
      context: this.configuration.contextName,
      http: () => this.http(),
    })
  }

  async #target(key: 'registry_url' | 'runtime_url'): Promise<{baseUrl: string; token?: string}> {
    const context = this.configuration.context()
    if (context?.value.protected) this.#debug?.(`context ${context.name} is protected`)
    const baseUrl = await this.#url(key)
    const token = this.configuration.tokenFor(baseUrl) ?? (await this.#loginToken(baseUrl))
    return {baseUrl, ...(token === undefined ? {} : {token})}
  }
}

// `Command.run` builds a second oclif Config, so nothing put on the Config of a hook reaches the command; the root
// plugin's package.json object is shared by both. Symbol.for: the same slot is found by every copy of this module,
// also by one inside a user-installed plugin.
const slot = Symbol.for('atomctl.context')

export function setContext(config: Interfaces.Config, context: AtomContext): void {
  Object.defineProperty(config.pjson, slot, {configurable: true, enumerable: false, value: context})
}

/** @throws INTERNAL when the init hook did not run: nothing may go on without configuration. */
export function getContext(config: Interfaces.Config): AtomContext {
  const context = (config.pjson as unknown as {[slot]?: AtomContext})[slot]
  if (!context) throw new AtomError('INTERNAL', 'the configuration was not loaded: the init hook did not run')
  return context
}
