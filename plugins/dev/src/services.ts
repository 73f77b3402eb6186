import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import type {StorageOptions} from '@atomctl/storage'
import {openDatabase} from './database.ts'
import {checkPorts, listenFailure, namesOf, type ServiceName, urlOf} from './listener.ts'
import type {Logger} from './logger.ts'
import type {PolicySource} from './policy.ts'
import type {SafetySource} from './safety.ts'
import type {NamedToken} from './token.ts'
import {servicePackages} from './service-packages.ts'

export interface ServiceOptions {
  readonly storage: StorageOptions
  readonly host: string
  /** The services to run and their ports; 0 is any free one. */
  readonly ports: Readonly<Partial<Record<ServiceName, number>>>
  readonly trustPolicy: PolicySource
  /** SHA-256 digests (hex) of the accepted tokens; absent: whoever reaches the port may do everything. */
  readonly tokenDigests?: readonly (string | NamedToken)[] | undefined
  /** One person's machine: who asks for an execution may approve it. */
  readonly singleUser: boolean
  readonly safety: SafetySource
  /** How clients reach the registry, when that is not the address it listens on. */
  readonly registryUrl?: string | undefined
  readonly anonymousReads: boolean
  readonly version: string
  /** Shell handlers inherit from it what the runtime's allow-list lets through. */
  readonly environment: Environment
  readonly logger: Logger
  /** How long running executions may go on after `close`; the rest is resumed by the next start. */
  readonly drainMs: number
}

export interface RunningServices {
  readonly urls: Readonly<Partial<Record<ServiceName, string>>>
  /** Drains, then closes everything that was opened, the database last. */
  close(): Promise<void>
}

/** The part of a Fastify instance that is used. */
interface Listener {
  listen(options: {host: string; port: number}): Promise<string>
  readonly server: {address(): {port: number} | string | null}
}

type Closing = () => Promise<unknown>

/**
 * Opens the storage once and serves from it; the whole program is loaded here, never earlier.
 * @throws CONFLICT (port taken), STORAGE_LOCKED and the other errors of the storage; nothing stays open then.
 */
export async function startServices(options: ServiceOptions): Promise<RunningServices> {
  const {host, ports} = options
  await checkPorts(host, ports)
  const opened: Closing[] = []
  try {
    const urls = await openServices(options, opened)
    return {urls, close: () => closeAll(opened)}
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

async function openServices(options: ServiceOptions, opened: Closing[]): Promise<RunningServices['urls']> {
  const {ports} = options
  const {loadRegistry, loadRuntime} = await servicePackages()
  const loading = Promise.all([loadRegistry(), ports.runtime === undefined ? undefined : loadRuntime()])
  const storage = await openDatabase(options.storage)
  opened.push(() => storage.close())
  const [{createRegistry}, runtimeRoom] = await loading
  const shared = sharedOptions(options)
  const urls: Partial<Record<ServiceName, string>> = {}
  const names = (): readonly string[] => namesOf(options.registryUrl ?? urls.registry)
  // A runtime alone needs it too: packages are read through it, from the database both share.
  const registry = await createRegistry({...shared, tokens: registryTokens(options), storage, publicUrls: names})
  opened.push(() => registry.app.close())
  if (runtimeRoom) {
    const {environment, drainMs} = options
    const workDirectory = await makeWorkDirectory(options.storage, opened)
    const {packages} = registry
    const runtime = await runtimeRoom.createRuntime({
      ...shared,
      tokens: options.tokenDigests === undefined ? OPEN : {digests: options.tokenDigests},
      singleUser: options.singleUser,
      safety: options.safety,
      storage,
      packages,
      registryUrls: names,
      workDirectory,
      environment,
      drainMs,
    })
    opened.push(() => runtime.close())
    urls.runtime = await listen(runtime.app, 'runtime', options)
  }
  if (ports.registry !== undefined) urls.registry = await listen(registry.app, 'registry', options)
  return urls
}

// Like the original services: whoever reaches the port may do everything, with any token at all.
const OPEN = {
  identify: () => ({name: 'anonymous', role: 'admin'}) as const,
  verify: () => ({name: 'anonymous', role: 'admin'}) as const,
}

function sharedOptions({trustPolicy, anonymousReads, version, logger}: ServiceOptions) {
  return {trustPolicy, anonymousReads, version, logger}
}

/** Those who run or approve executions may read the registry. */
function registryTokens({tokenDigests}: ServiceOptions) {
  if (tokenDigests === undefined) return OPEN
  const digests = tokenDigests.map((token) => {
    if (typeof token === 'string') return token
    const {role} = token
    return {...token, role: role === 'admin' || role === 'publisher' ? role : ('reader' as const)}
  })
  return {digests}
}

async function listen(app: Listener, service: ServiceName, {host, ports}: ServiceOptions): Promise<string> {
  const wanted = ports[service] ?? 0
  try {
    await app.listen({host, port: wanted})
  } catch (error) {
    throw listenFailure(service, host, wanted, error)
  }
  const address = app.server.address()
  return urlOf(host, typeof address === 'object' && address ? address.port : wanted)
}

/** Last opened, first closed; one that fails does not keep the others open. */
async function closeAll(opened: readonly Closing[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of opened.toReversed()) await close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** Where executions work: beside the embedded database, or for as long as this process serves. */
async function makeWorkDirectory(storage: StorageOptions, opened: Closing[]): Promise<string> {
  if ('directory' in storage) return join(storage.directory, 'work')
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-work-'))
  opened.push(() => rm(directory, {recursive: true, force: true}))
  return directory
}
