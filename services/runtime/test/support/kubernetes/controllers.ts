import {createHash} from 'node:crypto'
import {ownersOf, type KubernetesObject, type Objects} from './objects.ts'
import {isMapping, type Mapping, type Value} from './patches.ts'
import {RESOURCES, type Resource} from './resources.ts'

const REVISION = 'deployment.kubernetes.io/revision'

export function resourceOf(kind: string): Resource {
  const found = RESOURCES.find((resource) => resource.kind === kind)
  if (!found) throw new Error(`no resource of kind ${kind}`)
  return found
}

/**
 * What the cluster makes of a Deployment: a ReplicaSet per template, its revision, pods and status. An image with
 * `broken` in its name never becomes available.
 */
export function reconcileDeployment(objects: Objects, deployment: KubernetesObject): void {
  const namespace = String(deployment.metadata['namespace'])
  const spec = deployment['spec'] as Mapping
  const template = spec['template'] as Mapping
  const hash = createHash('sha256').update(sortedText(template)).digest('hex').slice(0, 10)
  const revision = revise(objects, deployment, template, hash)
  const replicas = Number(spec['replicas'] ?? 1)
  const isBroken = JSON.stringify(template).includes('broken')
  replacePods(objects, deployment, template, hash, replicas)
  const available = isBroken ? 0 : replicas
  const annotations = {...(deployment.metadata['annotations'] as Mapping | undefined), [REVISION]: String(revision)}
  const status = {
    observedGeneration: Number(deployment.metadata['generation']),
    replicas,
    updatedReplicas: replicas,
    readyReplicas: available,
    availableReplicas: available,
    ...(isBroken ? {unavailableReplicas: replicas} : {}),
    conditions: [
      condition('Available', !isBroken),
      {...condition('Progressing', true), reason: 'NewReplicaSetAvailable'},
    ],
  }
  const metadata = {...deployment.metadata, annotations}
  objects.put(resourceOf('Deployment'), namespace, {...deployment, spec: {...spec, replicas}, metadata, status})
}

function revise(objects: Objects, deployment: KubernetesObject, template: Mapping, hash: string): number {
  const resource = resourceOf('ReplicaSet')
  const {namespace, name, uid} = deployment.metadata
  const sets = objects.list(resource, String(namespace)).filter((set) => ownersOf(set).includes(String(uid)))
  const revisionOf = (set: KubernetesObject): number => Number((set.metadata['annotations'] as Mapping)[REVISION])
  const highest = Math.max(0, ...sets.map(revisionOf))
  const current = sets.find((set) => set.metadata['name'] === `${String(name)}-${hash}`)
  if (current && revisionOf(current) === highest) return highest
  const labels = {...labelsOf(template), 'pod-template-hash': hash}
  objects.put(resource, String(namespace), {
    metadata: {
      ...current?.metadata,
      name: `${String(name)}-${hash}`,
      labels,
      annotations: {[REVISION]: String(highest + 1)},
      ownerReferences: [owner(deployment)],
    },
    spec: {
      replicas: 0,
      selector: {matchLabels: labels},
      template: {...template, metadata: {...(template['metadata'] as Mapping), labels}},
    },
    status: {replicas: 0},
  })
  return highest + 1
}

function replacePods(
  objects: Objects,
  deployment: KubernetesObject,
  template: Mapping,
  hash: string,
  count: number,
): void {
  const resource = resourceOf('Pod')
  const {namespace, name, uid} = deployment.metadata
  const old = objects.list(resource, String(namespace)).filter((pod) => ownersOf(pod).includes(String(uid)))
  const names = Array.from({length: count}, (_, index) => `${String(name)}-${hash}-${index}`)
  for (const pod of old) if (!names.includes(String(pod.metadata['name']))) objects.remove(resource, pod)
  for (const podName of names)
    if (!objects.find(resource, String(namespace), podName))
      objects.put(resource, String(namespace), podOf(podName, labelsOf(template), template, owner(deployment)))
}

/** The same text for the same template, in whatever order it came back. */
function sortedText(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join()}]`
  if (!isMapping(value)) return JSON.stringify(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${key}:${sortedText(item)}`).join()}}`
}

export function podOf(name: string, labels: Mapping, template: Mapping, ownerReference?: Mapping): Mapping {
  return {
    metadata: {name, labels, ...(ownerReference ? {ownerReferences: [ownerReference]} : {})},
    spec: template['spec'] ?? {},
    status: {
      phase: 'Running',
      conditions: [condition('Ready', true)],
      containerStatuses: [{name: 'app', restartCount: 0, ready: true, state: {running: {}}}],
    },
  }
}

/**
 * What the cluster makes of a Job: a pod, and after a moment its end. An image with `failing` in its name fails, one
 * with `endless` goes on for ever.
 */
export function reconcileJob(objects: Objects, job: KubernetesObject): void {
  const namespace = String(job.metadata['namespace'])
  const name = String(job.metadata['name'])
  const template = (job['spec'] as Mapping)['template'] as Mapping
  const labels = {...labelsOf(template), 'job-name': name, 'batch.kubernetes.io/job-name': name}
  const selected = {...job, spec: {...(job['spec'] as Mapping), selector: {matchLabels: {'job-name': name}}}}
  objects.put(resourceOf('Job'), namespace, selected)
  objects.put(resourceOf('Pod'), namespace, podOf(`${name}-x1`, labels, template, owner(job)))
  const text = JSON.stringify(template)
  if (text.includes('endless')) return
  const ended = text.includes('failing') ? 'Failed' : 'Complete'
  setTimeout(() => {
    const present = objects.find(resourceOf('Job'), namespace, name)
    const status = {conditions: [condition(ended, true)], [ended === 'Failed' ? 'failed' : 'succeeded']: 1}
    if (present) objects.put(resourceOf('Job'), namespace, {...present, status})
  }, 50)
}

function owner(object: KubernetesObject): Mapping {
  const {name, uid} = object.metadata
  return {apiVersion: object.apiVersion, kind: object.kind, name: name ?? '', uid: uid ?? '', controller: true}
}

function labelsOf(template: Mapping): Mapping {
  const metadata: Value | undefined = template['metadata']
  return isMapping(metadata) && isMapping(metadata['labels']) ? metadata['labels'] : {}
}

function condition(type: string, isTrue: boolean): Mapping {
  return {type, status: isTrue ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z', reason: type}
}
