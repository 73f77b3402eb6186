import nock from 'nock'
import {createHttpClient, type HttpOptions, type Target} from '@atomctl/sdk/http'
import {createRegistryClient, type PackageUpload, type RegistryClient} from '@atomctl/sdk/registry'
import {
  type AtomDouble,
  type AtomDoubleOptions,
  type Behaviour,
  type FaultServer,
  startAtomDouble,
} from '@atomctl/sdk/testing'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {testOptions, useStage} from '../http/support.ts'

export const URL_OF_NOCK = 'http://registry.test'

export interface RegistryStage {
  client(target: Target, options?: Partial<HttpOptions>): RegistryClient
  /** A client of the registry that nock plays. */
  ours(): RegistryClient
  /** What that registry announces, once. */
  announce(...capabilities: string[]): void
  startDouble(options?: AtomDoubleOptions): Promise<{double: AtomDouble; registry: RegistryClient}>
  startServer(...script: Behaviour[]): Promise<FaultServer>
}

/** Registries of three kinds for the tests of the surrounding suite: the double, nock and servers that misbehave. */
export function useRegistryStage(): RegistryStage {
  const {start, keep} = useStage()
  const client: RegistryStage['client'] = (target, options = {}) => {
    const settings = testOptions(options)
    const http = keep(createHttpClient(settings))
    return createRegistryClient({http, target, ...(settings.clock ? {clock: settings.clock} : {})})
  }
  return {
    client,
    ours: () => client({baseUrl: URL_OF_NOCK, token: 't0ken'}),
    announce(...capabilities) {
      const announced = {service: 'registry', version: '1.0.0', protocol: '1', capabilities}
      nock(URL_OF_NOCK).get('/.well-known/atom').reply(200, announced)
    },
    async startDouble(options = {}) {
      const double = keep(await startAtomDouble(options))
      return {double, registry: client({baseUrl: double.registryUrl, token: 'anything'})}
    },
    startServer: start,
  }
}

export function upload(verified: VerifiedDocument): PackageUpload {
  return {kind: 'yaml', file: {bytes: verified.document.bytes}}
}

/** An entry such as the original may hold: only the ids are strings for sure. */
export function entryOf(name: string): Record<string, unknown> {
  return {id: `${name}-1.0.0`, name, version: '1.0.0', tags: null, created: 7}
}
