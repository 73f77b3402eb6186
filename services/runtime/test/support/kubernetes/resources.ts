/** The resources that the double serves, and their discovery documents. */
export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
}

const define = (groupVersion: string, plural: string, kind: string, shortNames: readonly string[] = []): Resource => {
  const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  return {group, version, plural, kind, namespaced: kind !== 'Node' && kind !== 'Namespace', shortNames}
}

export const RESOURCES: readonly Resource[] = [
  define('v1', 'pods', 'Pod', ['po']),
  define('v1', 'secrets', 'Secret'),
  define('v1', 'configmaps', 'ConfigMap', ['cm']),
  define('v1', 'events', 'Event', ['ev']),
  define('v1', 'namespaces', 'Namespace', ['ns']),
  define('v1', 'nodes', 'Node', ['no']),
  define('apps/v1', 'deployments', 'Deployment', ['deploy']),
  define('apps/v1', 'replicasets', 'ReplicaSet', ['rs']),
  define('apps/v1', 'statefulsets', 'StatefulSet', ['sts']),
  define('apps/v1', 'daemonsets', 'DaemonSet', ['ds']),
  define('apps/v1', 'controllerrevisions', 'ControllerRevision'),
  define('batch/v1', 'jobs', 'Job'),
  define('external-secrets.io/v1', 'externalsecrets', 'ExternalSecret', ['es']),
  define('metrics.k8s.io/v1beta1', 'pods', 'PodMetrics'),
  define('metrics.k8s.io/v1beta1', 'nodes', 'NodeMetrics'),
]

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

export function groupVersionOf({group, version}: Resource): string {
  return group === '' ? version : `${group}/${version}`
}

/** What `/api`, `/apis`, `/openapi/v3` and the paths below them answer; undefined for anything else. */
export function discover(path: string): object | undefined {
  if (path === '/version') return {major: '1', minor: '34', gitVersion: 'v1.34.0', platform: 'linux/amd64'}
  if (path === '/api') return {kind: 'APIVersions', versions: ['v1']}
  if (path === '/apis') return {kind: 'APIGroupList', apiVersion: 'v1', groups: groups()}
  if (path.startsWith('/openapi/v3')) return describeApi(path)
  const groupVersion = /^\/(?:api|apis)\/((?:[a-z0-9.-]+\/)?v1(?:beta1)?)$/.exec(path)?.[1]
  const served = RESOURCES.filter((resource) => groupVersionOf(resource) === groupVersion)
  if (served.length === 0) return undefined
  return {kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: served.flatMap(entriesOf)}
}

function groups(): object[] {
  const names = [...new Set(RESOURCES.filter(({group}) => group !== '').map(groupVersionOf))]
  return names.map((groupVersion) => {
    const [name, version] = groupVersion.split('/')
    return {name, versions: [{groupVersion, version}], preferredVersion: {groupVersion, version}}
  })
}

function entriesOf({plural, kind, namespaced, shortNames, group}: Resource): object[] {
  const entry = {name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: VERBS, shortNames}
  const under = (name: string, subKind: string): object => ({
    ...entry,
    name: `${plural}/${name}`,
    kind: subKind,
    shortNames: [],
  })
  if (kind === 'Pod') return [entry, under('log', 'Pod'), under('exec', 'PodExecOptions')]
  return group === 'apps' ? [entry, under('scale', 'Scale'), under('status', kind)] : [entry]
}

/** No schema at all; only that every kind takes a dry run and the server's own check of fields. */
function describeApi(path: string): object | undefined {
  const versions = [...new Set(RESOURCES.map(groupVersionOf))]
  const places = versions.map((groupVersion) => (groupVersion.includes('/') ? `apis/${groupVersion}` : 'api/v1'))
  if (path === '/openapi/v3')
    return {paths: Object.fromEntries(places.map((place) => [place, {serverRelativeURL: `/openapi/v3/${place}`}]))}
  const served = RESOURCES.filter((resource) => path.endsWith(`/${groupVersionOf(resource)}`))
  const parameters = ['dryRun', 'fieldValidation'].map((name) => ({name, in: 'query'}))
  const paths = served.map(({group, version, kind, plural}) => {
    const patch = {'x-kubernetes-group-version-kind': {group, version, kind}, parameters, responses: {}}
    return [`${path.replace('/openapi/v3', '')}/namespaces/{namespace}/${plural}/{name}`, {patch}] as const
  })
  const info = {title: 'Kubernetes', version: 'v1.34.0'}
  return {openapi: '3.0.0', info, paths: Object.fromEntries(paths), components: {schemas: {}}}
}
