import {createHash} from 'node:crypto'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'

export interface NpmRegistry extends AsyncDisposable {
  readonly url: string
  /** Method, path and authorization of what arrived, in order. */
  readonly requests: readonly {path: string; authorization: string | undefined}[]
  publish(name: string, version: string, tarball: Uint8Array, lie?: Lie): void
}

/** How it treats those who ask for a tarball. */
export interface Lie {
  /** Other bytes than announced. */
  readonly serve?: Uint8Array
  /** Sends them somewhere else. */
  readonly redirect?: string
  /** Never answers. */
  readonly hang?: boolean
  /** Closes the connection half-way. */
  readonly cut?: boolean
}

/**
 * Stands for an npm registry, public or (with a token) private: packuments and tarballs as npm reads them, on loopback. Not
 * a registry: no search, no publishing, no dist-tag but latest.
 */
export async function startNpmRegistry(token?: string): Promise<NpmRegistry> {
  const packages = new Map<string, Map<string, {tarball: Uint8Array; lie: Lie}>>()
  const requests: {path: string; authorization: string | undefined}[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/')
    requests.push({path, authorization: request.headers.authorization})
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return refuse(response, 401)
    answer(packages, path, request, response)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    publish(name, version, tarball, lie = {}) {
      const versions = packages.get(name) ?? new Map()
      packages.set(name, versions.set(version, {tarball, lie}))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Packages = ReadonlyMap<string, ReadonlyMap<string, {tarball: Uint8Array; lie: Lie}>>

function answer(packages: Packages, path: string, request: IncomingMessage, response: ServerResponse): void {
  const [, name = '', version] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+)\.tgz)?$/.exec(path) ?? []
  const versions = packages.get(name)
  if (!versions) return refuse(response, 404)
  if (version === undefined) return send(response, packument(name, versions, `http://${request.headers.host}`))
  const found = versions.get(version)
  if (!found) return refuse(response, 404)
  const {tarball, lie} = found
  if (lie.hang) return
  if (lie.redirect !== undefined) return void response.writeHead(302, {location: lie.redirect}).end()
  const bytes = lie.serve ?? tarball
  response.writeHead(200, {'content-type': 'application/octet-stream', 'content-length': bytes.length})
  if (!lie.cut) return void response.end(bytes)
  response.write(tarball.subarray(0, tarball.length >> 1), () => response.destroy())
}

function packument(name: string, versions: ReadonlyMap<string, {tarball: Uint8Array}>, host: string): object {
  const described = [...versions].map(([version, {tarball}]) => {
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    return [version, {name, version, dist: {tarball: `${host}/${name}/-/${version}.tgz`, integrity}}]
  })
  return {name, 'dist-tags': {latest: [...versions.keys()].at(-1)}, versions: Object.fromEntries(described)}
}

function send(response: ServerResponse, body: object): void {
  response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, {'content-type': 'application/json'}).end('{"error":"refused"}')
}
