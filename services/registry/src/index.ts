import type {PackageSource} from '@atomctl/protocol/packages'
import {buildApp, type App, type RegistryOptions} from './app.ts'
import {REGISTRY_MIGRATIONS} from './migrations.ts'
import {PackageStore} from './packages.ts'

export {DEFAULT_LIMITS, type RegistryLimits, type RegistryOptions} from './app.ts'
export type {Access, Identity, Role, TokenDigest, Tokens, TokenStore} from './authentication.ts'

export interface Registry {
  readonly app: App
  /** For a runtime in the same process; one elsewhere fetches over HTTP. */
  readonly packages: PackageSource
}

/** Brings the tables up to date and builds the HTTP application; the caller listens, closes it, then the storage. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  await options.storage.migrate('registry', REGISTRY_MIGRATIONS)
  const packages = new PackageStore(options.storage)
  return {app: await buildApp(options, packages), packages}
}
