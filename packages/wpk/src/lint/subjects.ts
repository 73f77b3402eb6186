import type {Json, JsonObject} from '../canonical.ts'
import {parseYaml} from '../document/gate.ts'
import {appendPath} from '../document/path.ts'
import {isMapping, listOf, mappingOf, placeItems, textOf} from './values.ts'
import type {Placed} from './values.ts'

/** A container in any dialect; `complete` ones carry an image and resources of their own. */
export interface Container extends Placed<JsonObject> {
  complete: boolean
  /** Volumes of the pod, by name; undefined where the dialect has none. */
  volumes?: Map<string, JsonObject>
}

export interface Request {
  url: string
  path: string
}

/** What a document really does, gathered once from all its dialects; the rules look only here. */
export interface Subjects {
  containers: Container[]
  commands: Placed<string>[]
  requests: Request[]
  images: Placed<string>[]
  /** Kubernetes objects: manifests, templates, items of lists, steps. */
  objects: Placed<JsonObject>[]
  volumes: Placed<JsonObject>[]
  /** Paths on the host that docker handlers mount. */
  mounts: Placed<string>[]
  replicas: Placed<Json>[]
  /** Kinds named by k8s handlers that change something. */
  kinds: Placed<string>[]
  /** Whole configurations, for rules that read every string. */
  configurations: Placed<Json>[]
}

const HANDLER_LISTS = [
  {section: 'handlers', path: 'spec.handlers'},
  {section: 'rollback', path: 'spec.rollback.handlers'},
] as const

export function collectSubjects(document: JsonObject): Subjects {
  const subjects: Subjects = {
    containers: [],
    commands: [],
    requests: [],
    images: [],
    objects: [],
    volumes: [],
    mounts: [],
    replicas: [],
    kinds: [],
    configurations: [],
  }
  const spec = mappingOf(document['spec'])
  for (const {section, path} of HANDLER_LISTS) {
    const list = section === 'handlers' ? spec['handlers'] : mappingOf(spec['rollback'])['handlers']
    for (const handler of placeItems(list, path)) collectHandler(handler, subjects)
  }
  for (const key of ['triggers', 'monitoring']) {
    if (spec[key] !== undefined) subjects.configurations.push({value: spec[key], path: `spec.${key}`})
  }
  return subjects
}

function collectHandler({value: handler, path}: Placed<JsonObject>, subjects: Subjects): void {
  const config = mappingOf(handler['config'])
  collectConfiguration(textOf(handler['type']) ?? '', config, `${path}.config`, subjects)
  for (const step of placeItems(handler['steps'], `${path}.steps`)) collectStep(step, subjects)
}

function collectConfiguration(type: string, config: JsonObject, path: string, subjects: Subjects): void {
  if (Object.keys(config).length > 0) subjects.configurations.push({value: config, path})
  addCommand(config['command'], `${path}.command`, subjects)
  addText(subjects.images, config['image'], `${path}.image`)
  if (type === 'api') addRequest(config, path, subjects)
  if (type === 'docker' || type === 'k8s') subjects.containers.push({value: config, path, complete: false})
  if (type === 'docker') addMounts(config['mounts'], `${path}.mounts`, subjects)
  if (type === 'k8s') collectKubernetes(config, path, subjects)
}

function addRequest(config: JsonObject, path: string, subjects: Subjects): void {
  const url = textOf(config['url'])
  if (url !== undefined) subjects.requests.push({url, path: `${path}.url`})
}

/** Text, or a list of words as containers take it. */
function addCommand(value: Json | undefined, path: string, subjects: Subjects): void {
  if (typeof value === 'string') subjects.commands.push({value, path})
  else if (Array.isArray(value)) subjects.commands.push({value: value.map(String).join(' '), path})
}

function addText(list: Placed<string>[], value: Json | undefined, path: string): void {
  if (typeof value === 'string') list.push({value, path})
}

/** Docker mounts: `source:target` or a mapping. Relative sources lie in the package. */
function addMounts(mounts: Json | undefined, path: string, subjects: Subjects): void {
  for (const [index, mount] of listOf(mounts).entries()) {
    const source = typeof mount === 'string' ? mount.split(':')[0] : textOf(mappingOf(mount)['source'])
    if (source?.startsWith('/')) subjects.mounts.push({value: source, path: appendPath(path, index)})
  }
}

/** Actions that change a named kind without carrying a manifest. */
const CHANGES = new Set(['create', 'apply', 'patch', 'delete', 'annotate', 'label'])

function collectKubernetes(config: JsonObject, path: string, subjects: Subjects): void {
  if (CHANGES.has(String(config['action']))) addText(subjects.kinds, config['resource_type'], `${path}.resource_type`)
  for (const key of ['replicas', 'max_replicas']) {
    if (config[key] !== undefined) subjects.replicas.push({value: config[key], path: `${path}.${key}`})
  }
  for (const key of ['manifest', 'template', 'patch', 'data']) {
    for (const object of manifestsIn(config[key], `${path}.${key}`)) collectObject(object, subjects)
  }
}

/** Manifests may be mappings, lists of them, or YAML text with several documents. */
function manifestsIn(value: Json | undefined, path: string): Placed<JsonObject>[] {
  if (isMapping(value)) return [{value, path}]
  if (Array.isArray(value)) return placeItems(value, path)
  if (typeof value !== 'string' || !value.includes('\n')) return []
  return value.split(/^---.*$/m).flatMap((part) => {
    const {reading} = parseYaml(new TextEncoder().encode(part), path)
    return isMapping(reading) ? [{value: reading, path}] : []
  })
}

function collectStep({value: step, path}: Placed<JsonObject>, subjects: Subjects): void {
  if (isMapping(step['container']))
    addContainer({value: step['container'], path: `${path}.container`, complete: true}, subjects)
  if (isMapping(step['kubernetes'])) collectObject({value: step['kubernetes'], path: `${path}.kubernetes`}, subjects)
  const shell = step['shell']
  if (typeof shell === 'string') subjects.commands.push({value: shell, path: `${path}.shell`})
  else if (isMapping(shell)) addCommand(shell['command'], `${path}.shell.command`, subjects)
  subjects.configurations.push({value: step, path})
}

/** A Kubernetes object, the objects it lists, and the pod it describes, wherever in it that stands. */
function collectObject({value: object, path}: Placed<JsonObject>, subjects: Subjects): void {
  subjects.objects.push({value: object, path})
  for (const item of placeItems(object['items'], `${path}.items`)) collectObject(item, subjects)
  for (const key of ['manifest', 'template']) {
    for (const nested of manifestsIn(object[key], `${path}.${key}`)) {
      if (nested.value['kind'] !== undefined) collectObject(nested, subjects)
    }
  }
  const spec = mappingOf(object['spec'])
  if (spec['replicas'] !== undefined) subjects.replicas.push({value: spec['replicas'], path: `${path}.spec.replicas`})
  collectPods(object, path, subjects, 0)
}

/** From Pod over Deployment and Job to CronJob the pod sits at most this deep. */
const POD_DEPTH = 6

function collectPods(value: JsonObject, path: string, subjects: Subjects, depth: number): void {
  if (Array.isArray(value['containers'])) collectPod(value, path, subjects)
  if (depth === POD_DEPTH) return
  for (const key of ['spec', 'template', 'jobTemplate']) {
    const child = value[key]
    if (isMapping(child)) collectPods(child, `${path}.${key}`, subjects, depth + 1)
  }
}

function collectPod(pod: JsonObject, path: string, subjects: Subjects): void {
  const placedVolumes = placeItems(pod['volumes'], `${path}.volumes`)
  subjects.volumes.push(...placedVolumes)
  const volumes = new Map(placedVolumes.map(({value}) => [String(value['name']), value]))
  for (const key of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of placeItems(pod[key], `${path}.${key}`)) {
      addContainer({...container, complete: true, volumes}, subjects)
    }
  }
}

function addContainer(container: Container, subjects: Subjects): void {
  subjects.containers.push(container)
  const {value, path} = container
  const words = [...listOf(value['command']), ...listOf(value['args'])]
  subjects.images.push({value: textOf(value['image']) ?? '', path: `${path}.image`})
  addCommand(words.length > 0 ? words : value['command'], `${path}.command`, subjects)
}
