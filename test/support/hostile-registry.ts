import {createHash} from 'node:crypto'
import type {ServerResponse} from 'node:http'
import {type FaultServer, type Recorded, startFaultServer} from '@atomctl/sdk/testing'

/** What a registry that means harm answers about one workflow id. */
export interface Lie {
  /** The document it lists (`wpk_content`) under the id that was asked for. */
  readonly listed: object
  /** The id it claims the entry has; the one asked for by default. */
  readonly id?: string
  /** The bytes it hands out; without them it is an original registry, which hands out none. */
  readonly served?: Uint8Array
  /** Their digest as it states it; the right one by default. */
  readonly digest?: string
}

/** A registry on loopback that lists one thing and serves another. */
export function startHostileRegistry(lie: () => Lie): Promise<FaultServer> {
  return startFaultServer((request, response) => answer(request, response, lie()))
}

function answer({url}: Recorded, response: ServerResponse, {listed, id, served, digest}: Lie): void {
  const [, , asked = '', part] = url.split('/')
  const found = {
    service: 'registry',
    version: '1.0.0',
    protocol: '1',
    capabilities: served ? ['digests', 'immutable', 'tarballs'] : [],
  }
  if (url === '/.well-known/atom') return sendJson(response, found)
  if (part === 'content' && served) return sendBytes(response, served, digest ?? sha256(served))
  const name = asked.replace(/-[0-9.]+$/, '')
  sendJson(response, {id: id ?? asked, name, version: asked.slice(name.length + 1), wpk_content: listed})
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(body))
}

function sendBytes(response: ServerResponse, bytes: Uint8Array, digest: string): void {
  const type = bytes[0] === 0x1f ? 'application/gzip' : 'application/yaml'
  response.writeHead(200, {'content-type': type, etag: `"${digest}"`, 'content-length': bytes.length}).end(bytes)
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
