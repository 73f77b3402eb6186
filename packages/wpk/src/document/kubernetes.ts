import type {Json, JsonObject} from '../canonical.ts'
import {parseDuration} from './duration.ts'

/** What k8s actions mean, as far as the config alone can tell: shared by `validate` and the runtime. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  deployment: ['deployment', 'deployments', 'deploy'],
  statefulset: ['statefulset', 'statefulsets', 'sts'],
  daemonset: ['daemonset', 'daemonsets', 'ds'],
  replicaset: ['replicaset', 'replicasets', 'rs'],
  replicationcontroller: ['replicationcontroller', 'replicationcontrollers', 'rc'],
  job: ['job', 'jobs'],
  pod: ['pod', 'pods', 'po'],
  node: ['node', 'nodes', 'no'],
  secret: ['secret', 'secrets'],
}

/** The singular, lower-case name of a kind without its API group: `deploy` and `Deployments.apps` are `deployment`. */
export function kindOf(type: string): string {
  const plain = type.split('.')[0]?.toLowerCase() ?? ''
  return Object.entries(ALIASES).find(([, names]) => names.includes(plain))?.[0] ?? plain
}

const ROLLED_OUT = ['deployment', 'statefulset', 'daemonset']

/** Kinds on which an action means something; every other action works on all. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  restart: ROLLED_OUT,
  rollback: ROLLED_OUT,
  scale: ['deployment', 'statefulset', 'replicaset', 'replicationcontroller'],
  metrics: ['pod', 'node'],
}

/** Words for "its new pods serve", which `kubectl rollout status` waits for. */
const SERVING = ['ready', 'available', 'healthy', 'rolled_out', 'complete', 'completed']

/** Words of packages, and what `kubectl wait --for` calls them. */
const CONDITIONS: Readonly<Record<string, string>> = {
  ready: 'condition=Ready',
  available: 'condition=Available',
  complete: 'condition=Complete',
  completed: 'condition=Complete',
  failed: 'condition=Failed',
  progressing: 'condition=Progressing',
  initialized: 'condition=Initialized',
  podscheduled: 'condition=PodScheduled',
  containersready: 'condition=ContainersReady',
  established: 'condition=Established',
  deleted: 'delete',
  created: 'create',
}
const WRITTEN = /^(condition=[A-Za-z][\w./-]*(=[A-Za-z]+)?|jsonpath=\{[^{}]+\}(=.*)?)$/s

/** How kubectl waits for a condition of a kind: by the rollout, by a `--for`, or (undefined) not at all. */
export function waitMeaning(condition: string, type: string): {for: string} | 'rollout' | undefined {
  const word = condition.toLowerCase()
  if (ROLLED_OUT.includes(kindOf(type)) && SERVING.includes(word)) return 'rollout'
  if (Object.hasOwn(CONDITIONS, word)) return {for: CONDITIONS[word] ?? ''}
  return WRITTEN.test(condition) ? {for: condition} : undefined
}

/** A key of the config, and why nothing honest can be done with what it says. */
export interface ActionRefusal {
  readonly key: string
  readonly message: string
}

/** Why a runtime refuses a k8s action. What a placeholder will say is not known yet, and passes. */
export function refuseAction(config: JsonObject): ActionRefusal | undefined {
  const action = String(config['action'])
  return refuseKind(action, config) ?? (Object.hasOwn(RULES, action) ? RULES[action]?.(config) : undefined)
}

function refuseKind(action: string, {resource_type: type}: JsonObject): ActionRefusal | undefined {
  const kinds = Object.hasOwn(KINDS, action) ? KINDS[action] : undefined
  if (!kinds || !isKnown(type) || kinds.includes(kindOf(type))) return undefined
  return {key: 'resource_type', message: `${action} works on ${kinds.join(', ')}, not on ${type}`}
}

const RULES: Readonly<Record<string, (config: JsonObject) => ActionRefusal | undefined>> = {
  restore: () => refusal('action', 'no kubectl command does restore; use a job, exec or shell handler'),
  metrics: ({query}) =>
    query === undefined
      ? undefined
      : refusal(
          'query',
          'a metrics query needs a Prometheus, which kubectl does not reach; without query it is kubectl top',
        ),
  wait: refuseCondition,
  scale: ({replicas, scale_factor: factor}) =>
    replicas === undefined || factor === undefined
      ? undefined
      : refusal('scale_factor', 'scale takes replicas or scale_factor, not both'),
  get: ({resource_type: type, field}) =>
    isKnown(type) && kindOf(type) === 'secret' && field !== undefined
      ? refusal('field', 'fields of Secrets are not read into logs and outputs')
      : undefined,
  annotate: (config) => refuseMark(config, 'annotation'),
  label: (config) => refuseMark(config, 'label'),
  create: refuseCreation,
  copy: ({source, destination}) =>
    [source, destination].some((end) => typeof end === 'string' && (end.includes(':') || /^\$\{[^}]+\}$/.test(end)))
      ? undefined
      : refusal(
          'source',
          'kubectl cp copies between a pod and the runtime: one of source and destination must be POD:PATH',
        ),
}

function refuseCondition({condition, resource_type: type}: JsonObject): ActionRefusal | undefined {
  if (!isKnown(condition) || waitMeaning(condition, String(type ?? 'deployment')) !== undefined) return undefined
  const words = [...new Set([...SERVING, ...Object.keys(CONDITIONS)])].join(', ')
  const possible = `possible are ${words}, condition=NAME and jsonpath={PATH}=VALUE`
  return refusal('condition', `nobody can wait for "${condition}"; ${possible}`)
}

function refuseMark(config: JsonObject, key: string): ActionRefusal | undefined {
  if (config[key] === undefined || config['value'] !== undefined) return undefined
  return refusal(key, `the ${key} ${JSON.stringify(config[key])} has no value`)
}

function refuseCreation({template, manifest, delay, max_retries: most}: JsonObject): ActionRefusal | undefined {
  const named = [template, manifest].find((value) => typeof value === 'string')
  if (named !== undefined)
    return refusal('template', `there is no template ${JSON.stringify(named)}; write the object itself as manifest`)
  if (isKnown(delay) && parseDuration(delay) === undefined)
    return refusal('delay', `delay must be a duration such as 30s, not "${delay}"; retry.backoff grows by itself`)
  if (most === undefined) return undefined
  return refusal('max_retries', 'max_retries counts nothing here; write retry.max_attempts')
}

function isKnown(value: Json | undefined): value is string {
  return typeof value === 'string' && !value.includes('${')
}

function refusal(key: string, message: string): ActionRefusal {
  return {key, message}
}
