import {createReadStream} from 'node:fs'
import type {PackageSource} from '@atomctl/protocol/packages'
import type {AtomContext} from '@atomctl/sdk/context'
import type {VerifiedPackage} from '@atomctl/sdk/enforcement'
import {AtomError} from '@atomctl/sdk/errors'
import type {RuntimeClient} from '@atomctl/sdk/runtime'
import type {Interfaces} from '@oclif/core'

/** A runtime inside this process, for one command. */
export interface LocalRuntime extends AsyncDisposable {
  readonly runtime: RuntimeClient
  /** A client that Ctrl-C does not stop. */
  uninterrupted(): Promise<RuntimeClient>
}

interface HookAnswer {
  url: string
  token: string
  close(): Promise<void>
}

/**
 * Asks the plugin that knows the services for the same engine without a server (hook `local_runtime`).
 * @throws NOT_SUPPORTED where no plugin offers it, USAGE for anything but a file.
 */
export async function openLocalRuntime(
  config: Interfaces.Config,
  context: AtomContext,
  subject: VerifiedPackage,
): Promise<LocalRuntime> {
  if (subject.origin !== 'file') throw new AtomError('USAGE', '--local runs a file, not a workflow of the registry')
  const [inForce] = await context.trustPolicies()
  const registryUrl = await context.ownRegistryUrl()
  const options = {
    trustPolicy: inForce?.policy,
    ...(registryUrl === undefined ? {} : {registryUrl}),
    version: config.version,
    environment: context.environment,
    packages: packageSourceOf(subject.package.path, subject.package.digest),
  }
  const {successes, failures} = await config.runHook('local_runtime', options, undefined, true)
  if (failures[0]) throw failures[0].error
  const answer = successes[0]?.result as HookAnswer | undefined
  if (!answer) throw new AtomError('NOT_SUPPORTED', 'no plugin offers a runtime in this process')
  const target = {baseUrl: answer.url, token: answer.token}
  return {
    runtime: await context.runtimeAt(target),
    uninterrupted: () => context.runtimeAt(target, {uninterrupted: true}),
    [Symbol.asyncDispose]: () => answer.close(),
  }
}

function packageSourceOf(path: string, digest: string): PackageSource {
  return {
    open: async () => ({digest, mediaType: 'application/gzip', chunks: createReadStream(path)}),
  }
}
