import {createHash} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openStorage, type Storage} from '@atomctl/storage'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import {createRegistry, type Registry, type RegistryOptions} from '../../src/index.ts'

export const TOKENS = {admin: 'admin-secret-token', publisher: 'publisher-secret-token', reader: 'reader-secret-token'}

export interface TestServer extends Registry {
  readonly url: string
  readonly storage: Storage
  close(): Promise<void>
}

export type ServerOptions = Partial<RegistryOptions> & {readonly databaseUrl?: string; readonly directory?: string}

/** A registry on a loopback port over a real database, PGlite in a temporary directory unless told otherwise. */
export async function startServer(policy: TrustPolicy, options: ServerOptions = {}): Promise<TestServer> {
  const {databaseUrl, directory, ...rest} = options
  const temporary = databaseUrl || directory ? undefined : await mkdtemp(join(tmpdir(), 'atomctl-registry-'))
  const storage = await openStorage(
    databaseUrl ? {databaseUrl} : {directory: directory ?? join(temporary ?? '', 'data')},
  )
  const registry = await createRegistry({
    storage,
    trustPolicy: async () => policy,
    tokens: {digests: describeTokens()},
    version: '1.2.3',
    anonymousReads: true,
    ...rest,
  }).catch(async (error: unknown) => {
    await storage.close()
    throw error
  })
  await registry.app.listen({port: 0, host: '127.0.0.1'})
  const {port} = registry.app.server.address() as AddressInfo
  const close = async () => {
    registry.app.server.closeAllConnections()
    await registry.app.close()
    await storage.close()
    if (temporary) await rm(temporary, {recursive: true, force: true})
  }
  return {...registry, storage, close, url: `http://127.0.0.1:${port}`}
}

function describeTokens() {
  return (['admin', 'publisher', 'reader'] as const).map((role) => ({
    name: `the ${role}`,
    role,
    digest: createHash('sha256').update(TOKENS[role]).digest('hex'),
  }))
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of any shape
  readonly body: any
}

export interface CallOptions {
  readonly method?: string
  readonly token?: string | null
  readonly headers?: Record<string, string>
  readonly json?: unknown
  readonly body?: RequestInit['body']
}

/** One request; JSON answers are parsed. `token: null` sends none. */
export async function call(server: Pick<TestServer, 'url'>, path: string, options: CallOptions = {}): Promise<Answer> {
  const {method = 'GET', token = TOKENS.admin, json, body, headers = {}} = options
  const response = await fetch(server.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== null && {authorization: `Bearer ${token}`}),
      ...(json !== undefined && {'content-type': 'application/json'}),
      ...headers,
    },
    ...(json === undefined ? body !== undefined && {body} : {body: JSON.stringify(json)}),
  })
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').includes('json')
  return {status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text}
}

export interface PushContent {
  readonly file?: string | Uint8Array<ArrayBuffer>
  readonly bundle?: string
}

export function push(
  server: Pick<TestServer, 'url'>,
  file: string | Uint8Array<ArrayBuffer>,
  {bundle, token = TOKENS.publisher}: {bundle?: string; token?: string | null} = {},
): Promise<Answer> {
  const form = new FormData()
  form.append('file', new Blob([file], {type: 'application/x-yaml'}), 'any-name.yaml')
  if (bundle !== undefined) form.append('bundle', new Blob([bundle]), 'bundle.json')
  return call(server, '/workflows', {method: 'POST', body: form, token})
}
