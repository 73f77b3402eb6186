import {createRequire} from 'node:module'
import {getCACertificates} from 'node:tls'
import type {Agent, Dispatcher} from 'undici'
import type {HttpOptions, ProxyOptions} from './options.ts'

/** Connections to one service at most; a single waiting command reuses one. */
const CONNECTIONS = 16
// The original services close an idle connection after 5 s (protocol section 1.1): stop using it before they do.
const KEEP_ALIVE = 4000

/** The connections of one scheme. */
export interface Connections {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  destroy(): Promise<void>
  /** `scheme://host:port` of the proxy, for messages; its credentials stay out. */
  readonly proxy?: string
}

/**
 * Opens undici for a scheme, on the first request only: commands that stay local must not pay for it. Every timeout but
 * the connection's is ours (`deadline.ts`), because undici's count in steps of half a second.
 */
export async function openConnections(protocol: string, options: HttpOptions): Promise<Connections> {
  const connect = {timeout: options.connectTimeout, ...certificates(options.extraCertificates)}
  const settings = {
    allowH2: false,
    connections: CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  const proxy = proxyFor(protocol, options.proxy)
  if (!proxy) return openDirect({...settings, connect})
  const {EnvHttpProxyAgent} = await import('undici')
  const agent = new EnvHttpProxyAgent({
    ...settings,
    connect,
    requestTls: connect,
    proxyTls: connect,
    // Plain HTTP goes through the proxy as it is: many proxies allow CONNECT to port 443 only.
    proxyTunnel: false,
    httpProxy: protocol === 'http:' ? proxy : '',
    httpsProxy: protocol === 'https:' ? proxy : '',
    noProxy: ['localhost', '127.0.0.1', '::1', options.proxy?.noProxy ?? ''].join(','),
  })
  return {
    request: (request) => agent.request(request),
    destroy: () => agent.destroy(),
    proxy: new URL(proxy).origin,
  }
}

/**
 * Without a proxy, two modules of undici are enough, and loading them takes half the time of its index (33 instead of
 * 66 ms measured). They are not its public interface: package.json pins the version exactly.
 */
function openDirect(settings: Agent.Options): Connections {
  const load = createRequire(import.meta.url)
  const AgentClass = load('undici/lib/dispatcher/agent.js') as typeof Agent
  const request = load('undici/lib/api/api-request.js') as typeof Dispatcher.prototype.request
  const agent = new AgentClass(settings)
  return {
    request: (options) => request.call(agent, options) as Promise<Dispatcher.ResponseData>,
    destroy: () => agent.destroy(),
  }
}

function proxyFor(protocol: string, proxy: ProxyOptions | undefined): string | undefined {
  const value = protocol === 'https:' ? proxy?.https : proxy?.http
  return value === '' ? undefined : value
}

// `ca` replaces the default list, so the defaults (NODE_EXTRA_CA_CERTS included) have to be repeated.
function certificates(extra: string | undefined): {ca?: string[]} {
  return extra === undefined ? {} : {ca: [...getCACertificates('default'), extra]}
}
