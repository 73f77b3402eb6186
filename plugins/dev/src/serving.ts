import {resolve} from 'node:path'
import {AtomCommand, trustPolicyFlag} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import {createEnvelope} from '@atomctl/sdk/output'
import * as Flags from '@oclif/core/flags'
import {layoutOf} from './layout.ts'
import {isLoopback} from './listener.ts'
import {createLogger} from './logger.ts'
import {createPolicySource, policyFileOf} from './policy.ts'
import {createSafetySource} from './safety.ts'
import {type RunningServices, type ServiceOptions, startServices} from './services.ts'
import {readTokenDigests} from './token.ts'
import {type Served, servedView} from './views.ts'

// The process ends five seconds after the first signal whatever happens; executions get most of that.
const DRAIN_MS = 3000

export const registryPortFlag = {
  'registry-port': Flags.integer({
    description: 'Port of the registry, 0 for any free one',
    default: 8000,
    max: 65_535,
    min: 0,
  }),
}
export const runtimePortFlag = {
  'runtime-port': Flags.integer({
    description: 'Port of the runtime, 0 for any free one',
    default: 4000,
    max: 65_535,
    min: 0,
  }),
}
export const servingFlags = {
  host: Flags.string({description: 'Address to listen on; any but loopback needs --token-file', default: '127.0.0.1'}),
  'token-file': Flags.string({
    description: 'Accepted tokens: one a line, or its digest as sha256:HEX; then name=ANN role=operator, where wanted',
    helpValue: 'FILE',
  }),
  'anonymous-reads': Flags.boolean({description: 'Let GET requests in without a token'}),
  'safety-policy': Flags.string({
    description:
      'Approvals (quorum, expiry), freeze windows and limits of the runtime: a YAML file, read for every execution',
    helpValue: 'FILE',
  }),
  'single-user': Flags.boolean({description: 'Let people approve executions that they asked for themselves'}),
  'registry-url': Flags.string({
    description: 'How clients reach the registry, when that is not its --host and port: signatures may be bound to it',
    helpValue: 'URL',
  }),
  ...trustPolicyFlag,
}

export interface ServingFlags {
  host: string
  'token-file'?: string | undefined
  'anonymous-reads': boolean
  'single-user': boolean
  'safety-policy'?: string | undefined
  'registry-url'?: string | undefined
  'data-dir'?: string | undefined
  verbose?: boolean
}

/** Base of `serve …`: run until a signal, then drain and end with 0. */
export abstract class ServeCommand extends AtomCommand {
  /** Serves until the first signal; `onReady` sees what is served, `onEnd` runs when nothing is served any more. */
  protected async serve(
    ports: ServiceOptions['ports'],
    flags: ServingFlags,
    storage: ServiceOptions['storage'],
    around: {onReady?(served: Served): Promise<void>; onEnd?(): Promise<void>} = {},
  ): Promise<Served> {
    const {interruption} = this.atom
    const options = await this.#optionsOf(ports, flags, storage)
    return interruption.defer(async () => {
      const services = await startServices(options)
      const served = describe(services, storage, this.config.version)
      try {
        await around.onReady?.(served)
        await this.#announceReady(served)
        await aborted(interruption.signal)
      } finally {
        await services.close()
        await around.onEnd?.()
      }
      return served
    })
  }

  /** The shared database that separate services need. @throws USAGE */
  protected requireDatabaseUrl(): {databaseUrl: string} {
    const databaseUrl = this.atom.environment['DATABASE_URL']
    if (databaseUrl) return {databaseUrl}
    throw new AtomError('USAGE', 'one service alone needs a PostgreSQL database: DATABASE_URL is not set', {
      hint: 'set DATABASE_URL=postgresql://…, or run both on the embedded database: atomctl serve all',
    })
  }

  /** `--data-dir`, then DATABASE_URL, then the data directory of `dev up`. */
  protected storageOf(dataDirectory: string | undefined): ServiceOptions['storage'] {
    const databaseUrl = this.atom.environment['DATABASE_URL']
    if (dataDirectory === undefined && databaseUrl) return {databaseUrl}
    return {directory: resolve(dataDirectory ?? layoutOf(this.atom.environment).dataDirectory)}
  }

  async #optionsOf(
    ports: ServiceOptions['ports'],
    flags: ServingFlags,
    storage: ServiceOptions['storage'],
  ): Promise<ServiceOptions> {
    const {configuration, environment} = this.atom
    const tokenFile = flags['token-file']
    const tokenDigests = tokenFile === undefined ? undefined : await readTokenDigests(tokenFile)
    if (!tokenDigests) this.#refuseOpenPort(flags.host)
    const trustPolicy = createPolicySource(policyFileOf(configuration, environment))
    const safety = createSafetySource(flags['safety-policy'])
    await Promise.all([trustPolicy(), safety()])
    return {
      storage,
      ports,
      trustPolicy,
      environment,
      tokenDigests,
      host: flags.host,
      anonymousReads: flags['anonymous-reads'],
      singleUser: flags['single-user'],
      safety,
      registryUrl: checkUrl(flags['registry-url']),
      version: this.config.version,
      logger: createLogger(process.stderr, flags.verbose ?? false),
      drainMs: DRAIN_MS,
    }
  }

  #refuseOpenPort(host: string): void {
    if (isLoopback(host)) {
      this.warn('no --token-file: every program on this machine may push and run packages')
      return
    }
    throw new AtomError('USAGE', `${host} can be reached from other machines, and no tokens are set`, {
      hint: 'add --token-file FILE, or listen on this machine alone: --host 127.0.0.1',
    })
  }

  // One line, so that a program can read it while this one goes on.
  async #announceReady(served: Served): Promise<void> {
    if (this.format !== 'json') return void (await this.emit(servedView, served))
    process.stdout.write(`${JSON.stringify(createEnvelope(servedView.kind, served, this.atom.warnings))}\n`)
  }
}

function checkUrl(url: string | undefined): string | undefined {
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url
  throw new AtomError('USAGE', `--registry-url ${JSON.stringify(url)} is not an http or https URL`, {
    hint: 'write it like https://registry.example.com',
  })
}

function describe({urls}: RunningServices, storage: ServiceOptions['storage'], version: string): Served {
  return {
    ...(urls.registry === undefined ? {} : {registry_url: urls.registry}),
    ...(urls.runtime === undefined ? {} : {runtime_url: urls.runtime}),
    storage: 'directory' in storage ? storage.directory : 'PostgreSQL',
    pid: process.pid,
    version,
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), {once: true})
  })
}
