import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {hash, randomBytes} from 'node:crypto'
import type {PackageSource} from '@atomctl/protocol/packages'
import type {Environment} from '@atomctl/sdk/config'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import {openDatabase} from './database.ts'
import {createLogger} from './logger.ts'
import {servicePackages} from './service-packages.ts'

/** What `run FILE --local` hands to the `local_runtime` hook. */
export interface LocalRuntimeOptions {
  /** Must be the policy the command itself verified with. */
  readonly trustPolicy: TrustPolicy
  /** The registry whose rules the command itself applied, if any. */
  readonly registryUrl?: string
  readonly version: string
  readonly environment: Environment
  /** Where the files of a tarball come from. */
  readonly packages?: PackageSource
}

export interface LocalRuntime {
  readonly url: string
  /** Only its holder may use the runtime, whoever else finds the port. */
  readonly token: string
  /** Stops it and deletes everything it kept. */
  close(): Promise<void>
}

// An execution has its final status a moment before the engine is done with it; its warning about that is no news.
const DRAIN_MS = 500

/** The runtime of `dev up`, without registry, for the life of one command, in a temporary directory. */
export async function startLocalRuntime(options: LocalRuntimeOptions): Promise<LocalRuntime> {
  const {loadRuntime} = await servicePackages()
  const {createRuntime} = await loadRuntime()
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-local-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(directory, {recursive: true, force: true})]
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step()
  }
  try {
    const storage = await openDatabase({directory})
    closing.push(() => storage.close())
    const token = randomBytes(32).toString('base64url')
    const runtime = await createRuntime({
      storage,
      trustPolicy: async () => options.trustPolicy,
      tokens: {digests: [hash('sha256', token, 'hex')]},
      // Nobody else can reach it, so nobody could approve anything.
      approvals: false,
      workDirectory: join(directory, 'work'),
      version: options.version,
      environment: options.environment,
      drainMs: DRAIN_MS,
      logger: {...createLogger(process.stderr, false), warn: () => {}},
      ...(options.registryUrl === undefined ? {} : {registryUrls: () => [options.registryUrl ?? '']}),
      ...(options.packages === undefined ? {} : {packages: options.packages}),
    })
    closing.push(() => runtime.close())
    return {url: await runtime.app.listen({host: '127.0.0.1', port: 0}), token, close}
  } catch (error) {
    await close()
    throw error
  }
}
