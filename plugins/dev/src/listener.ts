import {createServer} from 'node:net'
import {AtomError} from '@atomctl/sdk/errors'

/** Which service listens, as flags name it. */
export type ServiceName = 'registry' | 'runtime'

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Fails early, before a database is opened, when a port is taken; 0 always passes.
 * @throws CONFLICT naming the port and how to choose another, USAGE when two services are to have the same.
 */
export async function checkPorts(host: string, ports: Readonly<Partial<Record<ServiceName, number>>>): Promise<void> {
  const {registry, runtime} = ports
  if (registry !== undefined && registry !== 0 && registry === runtime) {
    throw new AtomError('USAGE', `registry and runtime cannot both have port ${registry}`, {
      hint: 'add --runtime-port 0',
    })
  }
  for (const [service, port] of Object.entries(ports)) await checkPort(service as ServiceName, host, port)
}

async function checkPort(service: ServiceName, host: string, port: number): Promise<void> {
  if (port === 0) return
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({host, port, exclusive: true}, resolve)
    })
  } catch (error) {
    throw listenFailure(service, host, port, error)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/** The error of a listener that could not start, said in words. */
export function listenFailure(service: ServiceName, host: string, port: number, cause: unknown): unknown {
  const {code} = cause as NodeJS.ErrnoException
  const flag = `--${service}-port`
  if (code === 'EADDRINUSE') {
    return new AtomError('CONFLICT', `port ${port} for the ${service} is in use by another program`, {
      hint: `add ${flag} PORT, or ${flag} 0 for any free one`,
      details: {port, host},
      cause,
    })
  }
  if (code === 'EACCES') {
    return new AtomError('DENIED', `port ${port} for the ${service} may not be used by this user`, {
      hint: `add ${flag} with a number above 1023`,
      cause,
    })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new AtomError('USAGE', `${host} is no address of this machine`, {hint: 'add --host 127.0.0.1', cause})
  }
  return cause
}

/** `http://host:port`, with IPv6 addresses in brackets. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * The URLs that clients know a registry by. One that listens on loopback is reached under either name of this
 * machine; an address such as 0.0.0.0 is no name at all, so then bindings to a registry cannot be compared.
 */
export function namesOf(url: string | undefined): readonly string[] {
  if (url === undefined) return []
  const {protocol, hostname, port} = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (host === '0.0.0.0' || host === '::') return []
  if (!isLoopback(host)) return [url]
  const others = ['localhost', '127.0.0.1', '[::1]'].map((name) => `${protocol}//${name}${port && `:${port}`}`)
  return [url, ...others.filter((name) => name !== url)]
}
