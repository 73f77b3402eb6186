import {mkdtempSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {reconcileDeployment, reconcileJob, resourceOf} from './controllers.ts'
import {serveExec} from './exec.ts'
import {Objects, selects, type Change, type KubernetesObject} from './objects.ts'
import {applyPatch, isMapping, type Mapping, type Value} from './patches.ts'
import {discover, groupVersionOf, RESOURCES, type Resource} from './resources.ts'

/** One request to an object or a list. */
export interface ApiRequest {
  readonly method: string
  readonly resource: Resource
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly query: URLSearchParams
  readonly isDryRun: boolean
  readonly body: Value
}

const PATH =
  /^\/(?:api|apis)\/((?:[a-z0-9.-]+\/)?v1(?:beta1)?)(?:\/namespaces\/([^/]+)(?=\/[a-z]))?\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/

/**
 * A stand-in for a Kubernetes API server over plain HTTP, enough for a real kubectl: discovery, get, list, watch,
 * create, delete, the four kinds of patch, server-side dry run, logs, exec, metrics, and controllers that roll out
 * Deployments and end Jobs at once. It checks no schema, has no admission, no defaults, no real server-side apply
 * (it merges) and no users: who may do what is what a test forbids.
 */
export class KubernetesDouble {
  readonly objects = new Objects()
  /** What was asked for, changes and reads, in order; discovery left out. */
  readonly requests: ApiRequest[] = []
  /** Text of the log of a pod, by its name; `NAME previous` is that before the last restart. */
  readonly logs = new Map<string, string>()
  /** Requests that the API answers with 403. */
  forbids: (request: ApiRequest) => boolean = () => false
  /** Why the API finds an object invalid, which a real one may say with the values it was sent. */
  refuses: (request: ApiRequest) => string | undefined = () => undefined
  /** Requests that are never answered. */
  holds: (request: ApiRequest) => boolean = () => false
  readonly directory: string
  readonly #server: Server
  readonly #stop = new AbortController()

  private constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'kubernetes-'))
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('upgrade', (request, socket) => {
      const url = new URL(request.url ?? '', 'http://localhost')
      const pod = /\/pods\/([^/]+)\/exec$/.exec(url.pathname)?.[1]
      if (pod !== undefined) serveExec(request, socket, url.searchParams.getAll('command'), this.podDirectory(pod))
    })
  }

  static async start(): Promise<KubernetesDouble> {
    const double = new KubernetesDouble()
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve))
    writeFileSync(double.kubeconfig, JSON.stringify(double.configuration({token: 'test'})))
    return double
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.directory, {recursive: true, force: true})
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get kubeconfig(): string {
    return join(this.directory, 'kubeconfig')
  }

  configuration(user: object): object {
    return {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{name: 'double', cluster: {server: this.url}}],
      users: [{name: 'tester', user}],
      contexts: [{name: 'double', context: {cluster: 'double', user: 'tester', namespace: 'default'}}],
      'current-context': 'double',
    }
  }

  /** What a pod sees as its root directory. */
  podDirectory(pod: string): string {
    const directory = join(this.directory, 'pods', pod)
    mkdirSync(directory, {recursive: true})
    return directory
  }

  add(kind: string, namespace: string, object: object): KubernetesObject {
    this.objects.put(resourceOf('Namespace'), undefined, {metadata: {name: namespace}})
    const stored = this.objects.put(resourceOf(kind), namespace, object as Mapping)
    this.#reconcile(stored)
    return stored
  }

  addDeployment(namespace: string, name: string, {replicas = 2, image = 'registry.test/app:1'} = {}): KubernetesObject {
    const labels = {app: name}
    const template = {metadata: {labels}, spec: {containers: [{name: 'app', image}]}}
    return this.add('Deployment', namespace, {
      metadata: {name, labels},
      spec: {replicas, selector: {matchLabels: labels}, template},
    })
  }

  /** As it is now; fails when it is not there. */
  // oxlint-disable-next-line typescript/no-explicit-any
  get(kind: string, namespace: string, name: string): any {
    const found = this.objects.find(resourceOf(kind), namespace, name)
    if (!found) throw new Error(`no ${kind} ${namespace}/${name}`)
    return found
  }

  list(kind: string, namespace: string): KubernetesObject[] {
    return this.objects.list(resourceOf(kind), namespace)
  }

  /** Requests that changed something for good. */
  get changes(): string[] {
    return this.requests
      .filter(({method, isDryRun}) => method !== 'GET' && !isDryRun)
      .map(({method, resource, name}) => `${method} ${resource.plural}/${name ?? ''}`)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://localhost')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const found = discover(url.pathname)
    if (found) return answer(response, 200, found)
    const asked = readRequest(request.method ?? 'GET', url, Buffer.concat(chunks).toString('utf8'))
    if (!asked) return fail(response, 404, 'NotFound', 'the server could not find the requested resource')
    this.requests.push(asked)
    if (this.holds(asked)) return
    if (this.forbids(asked)) return fail(response, 403, 'Forbidden', forbidden(asked))
    const refusal = this.refuses(asked)
    if (refusal !== undefined) return fail(response, 422, 'Invalid', `${titleOf(asked)} is invalid: ${refusal}`)
    try {
      this.#answer(asked, response, request)
    } catch (error) {
      fail(response, 422, 'Invalid', `${titleOf(asked)} is invalid: ${String((error as Error).message)}`)
    }
  }

  #answer(asked: ApiRequest, response: ServerResponse, request: IncomingMessage): void {
    const {method, name, query, resource, namespace} = asked
    if (asked.subresource === 'log') return this.#answerLog(asked, response)
    if (method === 'GET' && query.get('watch') !== null) return this.#watch(asked, response, request)
    if (method === 'GET' && name === undefined) return this.#answerList(asked, response)
    if (method === 'POST') return this.#create(asked, response)
    const object = this.objects.find(resource, namespace, name ?? '')
    if (!object) return fail(response, 404, 'NotFound', `${titleOf(asked)} not found`)
    if (method === 'GET') return answer(response, 200, object)
    if (method === 'DELETE') return this.#delete(asked, object, response)
    const mediaType = request.headers['content-type'] ?? ''
    const changed = method === 'PUT' ? (asked.body as Mapping) : applyPatch(object, asked.body, mediaType)
    if (!changed) return fail(response, 415, 'UnsupportedMediaType', `the body of the request was in an unknown format`)
    this.#store(asked, changed, response, 200)
  }

  #create(asked: ApiRequest, response: ServerResponse): void {
    const {resource, namespace, body} = asked
    const metadata = isMapping(body) && isMapping(body['metadata']) ? body['metadata'] : {}
    const {name, generateName} = metadata
    if (name === undefined && generateName === undefined)
      return fail(
        response,
        422,
        'Invalid',
        `${resource.kind} is invalid: metadata.name: Required value: name is required`,
      )
    if (typeof name === 'string' && this.objects.find(resource, namespace, name))
      return fail(response, 409, 'AlreadyExists', `${titleOf({...asked, name})} already exists`)
    this.#store(asked, body as Mapping, response, 201)
  }

  #store({resource, namespace, isDryRun}: ApiRequest, object: Mapping, response: ServerResponse, code: number): void {
    if (isDryRun) return answer(response, code, this.objects.complete(resource, namespace, object))
    const stored = this.objects.put(resource, namespace, object)
    answer(response, code, stored)
    this.#reconcile(stored)
  }

  #delete({resource, isDryRun}: ApiRequest, object: KubernetesObject, response: ServerResponse): void {
    if (!isDryRun) this.objects.remove(resource, object)
    const {name, uid} = object.metadata
    answer(response, 200, {kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: {name, uid}})
  }

  #answerList({resource, namespace, query}: ApiRequest, response: ServerResponse): void {
    const items = this.objects
      .list(resource, namespace)
      .filter((object) => selects(query.get('labelSelector'), query.get('fieldSelector'), object))
    const metadata = {resourceVersion: String(this.objects.revision)}
    answer(response, 200, {kind: `${resource.kind}List`, apiVersion: groupVersionOf(resource), metadata, items})
  }

  #watch(asked: ApiRequest, response: ServerResponse, request: IncomingMessage): void {
    const {resource, namespace, query} = asked
    const isMeant = (object: KubernetesObject, of: Resource): boolean =>
      of === resource &&
      (namespace === undefined || object.metadata['namespace'] === namespace) &&
      selects(query.get('labelSelector'), query.get('fieldSelector'), object)
    const send = (type: string, object: object): void => void response.write(`${JSON.stringify({type, object})}\n`)
    const tell = (change: Change): void => {
      if (isMeant(change.object, change.resource)) send(change.type, change.object)
    }
    response.writeHead(200, {'content-type': 'application/json'})
    response.flushHeaders()
    if (query.get('sendInitialEvents') === 'true') {
      for (const object of this.objects.list(resource)) if (isMeant(object, resource)) send('ADDED', object)
      const annotations = {'k8s.io/initial-events-end': 'true'}
      const metadata = {resourceVersion: String(this.objects.revision), annotations}
      send('BOOKMARK', {kind: resource.kind, apiVersion: groupVersionOf(resource), metadata})
    } else {
      const from = Number(query.get('resourceVersion') || this.objects.revision)
      this.objects.changes.filter(({revision}) => revision > from).forEach(tell)
    }
    const stop = this.objects.watch(tell)
    request.once('close', stop)
    response.once('close', stop)
  }

  #answerLog({namespace, name = '', query}: ApiRequest, response: ServerResponse): void {
    const pod = this.objects.find(resourceOf('Pod'), namespace, name)
    if (!pod) return fail(response, 404, 'NotFound', `pods "${name}" not found`)
    const isPrevious = query.get('previous') === 'true'
    const text = this.logs.get(isPrevious ? `${name} previous` : name)
    if (isPrevious && text === undefined)
      return fail(response, 400, 'BadRequest', `previous terminated container "app" in pod "${name}" not found`)
    const lines = (text ?? '').split('\n').slice(-1 - Number(query.get('tailLines') ?? 1_000_000))
    response.writeHead(200, {'content-type': 'text/plain'})
    response.end(lines.join('\n'))
  }

  #reconcile(object: KubernetesObject): void {
    if (object.kind === 'Deployment') reconcileDeployment(this.objects, object)
    if (object.kind === 'Job' && object['status'] === undefined) reconcileJob(this.objects, object)
  }
}

function readRequest(method: string, url: URL, text: string): ApiRequest | undefined {
  const [, groupVersion, namespace, plural, name, subresource] = PATH.exec(url.pathname) ?? []
  const resource = RESOURCES.find((one) => groupVersionOf(one) === groupVersion && one.plural === plural)
  if (!resource) return undefined
  const body = text === '' ? null : (JSON.parse(text) as Value)
  const inBody = isMapping(body) && Array.isArray(body['dryRun']) && body['dryRun'].includes('All')
  const isDryRun = url.searchParams.get('dryRun') === 'All' || inBody
  return {method, resource, namespace, name, subresource, query: url.searchParams, isDryRun, body}
}

function titleOf({resource: {plural, group}, name}: ApiRequest): string {
  return `${plural}${group === '' ? '' : `.${group}`} "${name ?? ''}"`
}

function forbidden(asked: ApiRequest): string {
  const {resource, namespace, method} = asked
  const verb = {GET: 'get', POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete'}[method] ?? method
  const place = `in API group "${resource.group}" in the namespace "${namespace ?? ''}"`
  return `${titleOf(asked)} is forbidden: User "tester" cannot ${verb} resource "${resource.plural}" ${place}`
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, {'content-type': 'application/json'})
  response.end(JSON.stringify(body))
}

function fail(response: ServerResponse, code: number, reason: string, message: string): void {
  answer(response, code, {kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code})
}
