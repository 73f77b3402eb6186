import {randomUUID} from 'node:crypto'
import {isMapping, type Mapping, type Value} from './patches.ts'
import {groupVersionOf, RESOURCES, type Resource} from './resources.ts'

export interface KubernetesObject extends Mapping {
  apiVersion: string
  kind: string
  metadata: Mapping
}

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface Change {
  readonly revision: number
  readonly type: ChangeType
  readonly resource: Resource
  readonly object: KubernetesObject
}

/** What is in the cluster, with every change since the start, so that watches can begin anywhere. */
export class Objects {
  readonly changes: Change[] = []
  readonly #stored = new Map<string, KubernetesObject>()
  readonly #watchers = new Set<(change: Change) => void>()

  get revision(): number {
    return this.changes.length
  }

  find(resource: Resource, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#stored.get(keyOf(resource, namespace, name))
  }

  list(resource: Resource, namespace?: string): KubernetesObject[] {
    const prefix = keyOf(resource, undefined, '').slice(0, -2)
    const all = [...this.#stored].filter(([key]) => key.startsWith(`${prefix}|`)).map(([, object]) => object)
    return namespace === undefined ? all : all.filter(({metadata}) => metadata['namespace'] === namespace)
  }

  /** As the API completes what it is sent; nothing is stored yet. */
  complete(resource: Resource, namespace: string | undefined, object: Mapping): KubernetesObject {
    const metadata = isMapping(object['metadata']) ? object['metadata'] : {}
    const name = metadata['name'] ?? `${String(metadata['generateName'])}${randomUUID().slice(0, 5)}`
    const old = this.find(resource, namespace, String(name))
    const isSame = old !== undefined && JSON.stringify(old['spec']) === JSON.stringify(object['spec'])
    const generation = old === undefined ? 1 : Number(old.metadata['generation'] ?? 1) + (isSame ? 0 : 1)
    return {
      ...object,
      apiVersion: groupVersionOf(resource),
      kind: resource.kind,
      metadata: {
        uid: randomUUID(),
        creationTimestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
        ...metadata,
        ...(namespace === undefined ? {} : {namespace}),
        name,
        generation,
        resourceVersion: String(this.revision + 1),
      },
    }
  }

  put(resource: Resource, namespace: string | undefined, object: Mapping): KubernetesObject {
    const complete = this.complete(resource, namespace, object)
    const key = keyOf(resource, namespace, String(complete.metadata['name']))
    const type = this.#stored.has(key) ? 'MODIFIED' : 'ADDED'
    this.#stored.set(key, complete)
    this.#tell(type, resource, complete)
    return complete
  }

  remove(resource: Resource, object: KubernetesObject): void {
    const {namespace, name, uid} = object.metadata
    if (!this.#stored.delete(keyOf(resource, namespace as string | undefined, String(name)))) return
    this.#tell('DELETED', resource, object)
    for (const owned of RESOURCES)
      for (const child of this.list(owned)) if (ownersOf(child).includes(String(uid))) this.remove(owned, child)
  }

  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  #tell(type: ChangeType, resource: Resource, object: KubernetesObject): void {
    const change = {revision: this.revision + 1, type, resource, object: structuredClone(object)}
    this.changes.push(change)
    for (const watcher of this.#watchers) watcher(change)
  }
}

export function ownersOf(object: KubernetesObject): string[] {
  const owners = object.metadata['ownerReferences']
  return Array.isArray(owners) ? owners.filter(isMapping).map(({uid}) => String(uid)) : []
}

function keyOf(resource: Resource, namespace: string | undefined, name: string): string {
  return `${groupVersionOf(resource)}/${resource.plural}|${namespace ?? ''}|${name}`
}

/** `labelSelector` and `fieldSelector`, as far as kubectl writes them. */
export function selects(labels: string | null, fields: string | null, object: KubernetesObject): boolean {
  const marks = isMapping(object.metadata['labels']) ? object.metadata['labels'] : {}
  const byLabel = (labels ?? '').split(/,(?![^(]*\))/).filter((part) => part !== '')
  const byField = (fields ?? '').split(',').filter((part) => part !== '')
  return byLabel.every((part) => hasLabel(marks, part)) && byField.every((part) => hasField(object, part))
}

function hasLabel(labels: Mapping, part: string): boolean {
  const set = /^(\S+) (in|notin) \((.*)\)$/.exec(part.trim())
  if (set) return (set[3] ?? '').split(/\s*,\s*/).includes(String(labels[set[1] ?? ''])) === (set[2] === 'in')
  const [, key = '', operator, value] = /^([^=!]+)(!=|==?)(.*)$/.exec(part) ?? []
  if (operator !== undefined) return (labels[key] === value) === (operator !== '!=')
  return part.startsWith('!') ? !(part.slice(1) in labels) : part in labels
}

function hasField(object: KubernetesObject, part: string): boolean {
  const [path = '', value] = part.split('=', 2)
  let found: Value | undefined = object
  for (const key of path.split('.')) found = isMapping(found) ? found[key] : undefined
  return String(found ?? '') === value
}
