import {
  type Discovery,
  discovery,
  health,
  type REGISTRY_CAPABILITIES,
  type RUNTIME_CAPABILITIES,
} from '@atomctl/protocol/discovery'
import {AtomError, isAtomError} from '../errors.ts'
import type {HttpClient} from './client.ts'
import type {RequestSpec, StreamSpec, Target} from './options.ts'
import {type HttpResponse, type HttpStream, readJson} from './response.ts'

export type Capability = (typeof REGISTRY_CAPABILITIES)[number] | (typeof RUNTIME_CAPABILITIES)[number]

/** What the registry client and the runtime client have in common: one target and what it announces. */
export interface Service {
  readonly name: 'registry' | 'runtime'
  readonly origin: string
  request(spec: RequestSpec): Promise<HttpResponse>
  stream(spec: StreamSpec): Promise<HttpStream>
  /** What the service announces; undefined for an original one. Asked once. */
  discover(): Promise<Discovery | undefined>
  supports(capability: Capability): Promise<boolean>
  health(): Promise<ServiceHealth>
}

/** `GET /health`; the original says `healthy` whatever its state (protocol section 2.1). */
export interface ServiceHealth {
  readonly status: string
  readonly timestamp?: string | undefined
}

export function createService(name: Service['name'], http: HttpClient, target: Target): Service {
  let announced: Promise<Discovery | undefined> | undefined
  const request = (spec: RequestSpec): Promise<HttpResponse> => http.request(target, {service: name, ...spec})
  const discover = (): Promise<Discovery | undefined> => {
    announced ??= readDiscovery(name, request).catch((error: unknown) => {
      announced = undefined
      throw error
    })
    return announced
  }
  return {
    name,
    origin: new URL(target.baseUrl).origin,
    request,
    stream: (spec) => http.stream(target, {service: name, ...spec}),
    discover,
    supports: async (capability) => (await discover())?.capabilities.includes(capability) ?? false,
    health: async () => readJson(await request({method: 'GET', path: '/health'}), health),
  }
}

/** Answers that mean "no such document": an original service, or one behind a gateway that knows only its paths. */
const ORIGINAL: ReadonlySet<string> = new Set([
  'ENDPOINT_NOT_FOUND',
  'NOT_FOUND',
  'NOT_AUTHENTICATED',
  'DENIED',
  'PROTOCOL',
])

async function readDiscovery(name: Service['name'], request: Service['request']): Promise<Discovery | undefined> {
  try {
    const found = readJson(await request({method: 'GET', path: '/.well-known/atom'}), discovery)
    if (found.service === name) return found
  } catch (error) {
    if (isAtomError(error) && ORIGINAL.has(error.code)) return undefined
    throw error
  }
  const other = name === 'registry' ? 'runtime' : 'registry'
  throw new AtomError('ENDPOINT_NOT_FOUND', `The ${name} URL leads to a ${other}`, {
    hint: 'atomctl config shows both URLs; atomctl config set changes one',
  })
}

/** The error of an extra that a service does not announce. */
export function notSupported({name, origin}: Service, what: string, hint: string): AtomError {
  return new AtomError('NOT_SUPPORTED', `The ${name} at ${origin} ${what}`, {hint, details: {origin}})
}
