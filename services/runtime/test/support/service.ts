import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Execution, Logs} from '@atomctl/protocol/runtime'
import {FINAL_STATUSES} from '@atomctl/protocol/runtime'
import type {JsonObject} from '@atomctl/protocol/values'
import {openStorage, type Storage} from '@atomctl/storage'
import {createRuntime, type Runtime, type RuntimeOptions} from '../../src/index.ts'
import {Trust, type PackageShape} from './packages.ts'
import {eventually} from './waiting.ts'

export interface Answer {
  status: number
  headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
}

export interface RequestInit {
  method?: string
  headers?: Record<string, string>
  body?: unknown
  /** Sent as it is instead of `body` as JSON. */
  raw?: string
}

/** A real runtime on a real PGlite behind a real port, and what tests ask of it. */
export class TestService {
  readonly directory: string
  readonly trust: Trust
  readonly storage: Storage
  readonly runtime: Runtime
  readonly url: string

  private constructor(directory: string, trust: Trust, storage: Storage, runtime: Runtime, url: string) {
    this.directory = directory
    this.trust = trust
    this.storage = storage
    this.runtime = runtime
    this.url = url
  }

  static async start(options: Partial<RuntimeOptions> = {}): Promise<TestService> {
    const directory = mkdtempSync(join(tmpdir(), 'runtime-'))
    const trust = await Trust.create()
    const storage = await openStorage({directory: join(directory, 'data')})
    const runtime = await createRuntime({
      storage,
      trustPolicy: trust.policy,
      workDirectory: join(directory, 'work'),
      version: '1.2.3',
      environment: {PATH: process.env['PATH'], HOME: directory, CANARY_SECRET: 'canary-value'},
      kubectl: false,
      killGraceMs: 200,
      drainMs: 500,
      ...options,
    })
    const url = await runtime.app.listen({port: 0, host: '127.0.0.1'})
    return new TestService(directory, trust, storage, runtime, url)
  }

  async stop(): Promise<void> {
    await this.runtime.close()
    await this.storage.close()
    rmSync(this.directory, {recursive: true, force: true})
  }

  /** A path for a command to leave a trace at. */
  path(name: string): string {
    return join(this.directory, name)
  }

  async request(path: string, {method, headers = {}, body, raw}: RequestInit = {}): Promise<Answer> {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(this.url + path, {
      method: method ?? (content === undefined ? 'GET' : 'POST'),
      headers: content === undefined ? headers : {'content-type': 'application/json', ...headers},
      ...(content === undefined ? {} : {body: content}),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return {status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text}
  }

  /** Signs and submits; the answer may be a refusal. */
  async submit(shape: PackageShape, request: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const content = await this.trust.sign(shape)
    return this.submitContent(content, request, headers)
  }

  async submitContent(
    content: JsonObject,
    request: object = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.request('/execute', {
      body: {workflow_id: idOf(content), wpk_content: content, ...request},
      headers,
    })
  }

  async started(shape: PackageShape, request: object = {}): Promise<string> {
    const answer = await this.submit(shape, request)
    if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
    return answer.body.execution_id
  }

  /** Runs to the end. */
  async run(shape: PackageShape, request: object = {}): Promise<Execution> {
    return this.ended(await this.started(shape, request))
  }

  async execution(id: string): Promise<Execution> {
    return (await this.request(`/execute/${id}`)).body
  }

  async ended(id: string): Promise<Execution> {
    return eventually(`${id} ended`, async () => {
      const execution = await this.execution(id)
      return FINAL_STATUSES.has(execution.status) && execution
    })
  }

  async logs(id: string): Promise<Logs> {
    return (await this.request(`/logs/${id}`)).body
  }
}

/** The id that a package's own content gives it; any id will do for content that is no package. */
function idOf(content: JsonObject): string {
  const {name, version} = (content['metadata'] ?? {}) as JsonObject
  return name === undefined || version === undefined ? 'test-package-1.0.0' : `${String(name)}-${String(version)}`
}
