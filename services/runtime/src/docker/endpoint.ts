import {statSync} from 'node:fs'
import {join} from 'node:path'

/** Where a Docker-compatible engine listens. */
export type Endpoint = {readonly socketPath: string} | {readonly origin: string}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * The engine that the environment names, as docker's own clients do (DOCKER_HOST), else the first socket that is
 * there: Docker's, then the user's Podman. Or why there is none. Another machine's engine is not spoken to: the API
 * has no password of its own, and what is mounted would be that machine's files.
 */
export function findEndpoint(
  environment: Readonly<Record<string, string | undefined>>,
  defaults: readonly string[] = ['/var/run/docker.sock'],
): Endpoint | {readonly problem: string} {
  const named = environment['DOCKER_HOST']
  if (named) return readHost(named)
  const user = environment['XDG_RUNTIME_DIR']
  const candidates = [...defaults, ...(user ? [join(user, 'podman', 'podman.sock')] : [])]
  const socketPath = candidates.find(isSocket)
  if (socketPath !== undefined) return {socketPath}
  return {problem: `there is no container engine: no socket at ${candidates.join(' or ')}, and DOCKER_HOST is not set`}
}

function readHost(text: string): Endpoint | {readonly problem: string} {
  if (text.startsWith('unix:///')) return {socketPath: text.slice('unix://'.length)}
  const url = URL.parse(text.replace(/^tcp:/, 'http:'))
  const isPlain = url?.protocol === 'http:' && url.port !== '' && url.pathname === '/' && url.username === ''
  if (isPlain && LOOPBACK.test(url.hostname)) return {origin: url.origin}
  return {
    problem: 'DOCKER_HOST is neither unix:///PATH nor tcp://127.0.0.1:PORT; only an engine of this machine is used',
  }
}

function isSocket(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isSocket() ?? false
}
