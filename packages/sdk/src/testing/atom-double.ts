import {createServer, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {dispatch, type FrameworkVersion, type Route} from './double/framework.ts'
import {RegistryDouble} from './double/registry.ts'
import {RuntimeDouble} from './double/runtime.ts'
import type {Recorded} from './fault-server.ts'

export interface AtomDoubleOptions {
  /** Default `measured`. */
  readonly version?: FrameworkVersion
  /** Milliseconds that a step takes; 100 in the original. */
  readonly stepTime?: number
  /** A registry with a cosign key configured, which by construction refuses every push (protocol section 5). */
  readonly refusesSignatures?: boolean
}

export interface RecordedCall extends Recorded {
  readonly service: 'registry' | 'runtime'
}

export interface AtomDouble {
  readonly registryUrl: string
  readonly runtimeUrl: string
  /** What arrived at both, in order. */
  readonly requests: readonly RecordedCall[]
  readonly registry: RegistryDouble
  readonly runtime: RuntimeDouble
  close(): Promise<void>
}

/**
 * The original ATOM Cloud registry and runtime on loopback, for tests: they are Python services that do not run here,
 * so this is what was measured of them (docs: the wire protocol) — statuses, error texts, zone-less times, the lenient
 * schema, silent overwriting, mock executions in steps of 0.1 s — in the shapes of three framework versions.
 *
 * Limits: YAML goes through our own reader, so what PyYAML reads differently (anchors, octals) is not reproduced, except
 * that an unquoted date in an indexed field disables the registry. The static validator's `steps` dialect is not scored,
 * success messages and the text of the broken /runs are not literal, and there is one process, so no lost updates.
 */
export async function startAtomDouble(options: AtomDoubleOptions = {}): Promise<AtomDouble> {
  const {version = 'measured', stepTime = 100, refusesSignatures = false} = options
  const requests: RecordedCall[] = []
  const registry = new RegistryDouble(version, refusesSignatures)
  const runtime = new RuntimeDouble(version, stepTime)
  const serve = (service: RecordedCall['service'], routes: readonly Route[]): Promise<Server> =>
    listen(
      createServer((incoming, response) => {
        const note = (request: Recorded): void => void requests.push({...request, service})
        // A client that goes away while it sends is no failure of the double.
        dispatch(routes, incoming, response, note).catch(() => response.destroy())
      }),
    )
  const servers = await Promise.all([serve('registry', registry.routes), serve('runtime', runtime.routes)])
  const [registryUrl = '', runtimeUrl = ''] = servers.map(urlOf)
  return {registryUrl, runtimeUrl, requests, registry, runtime, close: () => close(runtime, servers)}
}

function listen(server: Server): Promise<Server> {
  // uvicorn drops idle connections after 5 s.
  server.keepAliveTimeout = 5000
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function close(runtime: RuntimeDouble, servers: readonly Server[]): Promise<void> {
  runtime.close()
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
}
