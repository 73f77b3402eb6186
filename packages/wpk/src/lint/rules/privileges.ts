import type {Finding} from '../../document/finding.ts'
import {issue} from '../catalogue.ts'
import type {Subjects} from '../subjects.ts'
import {listOf, mappingOf, textOf} from '../values.ts'
import {inOrder} from './command-line.ts'

export function findPrivilegedContainers({containers}: Subjects): Finding[] {
  return containers.flatMap(({value, path}) => {
    const inContext = isTrue(mappingOf(value['securityContext'])['privileged'])
    if (!inContext && !isTrue(value['privileged'])) return []
    const place = inContext ? `${path}.securityContext.privileged` : `${path}.privileged`
    return [issue('privileged_container', place, 'The container runs privileged: it owns the host')]
  })
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true') || value === 1
}

/** Each of these is a way out of the container; ALL contains them. */
const DANGEROUS = new Set(['ALL', 'SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE', 'SYS_MODULE'])

export function findDangerousCapabilities({containers}: Subjects): Finding[] {
  return containers.flatMap(({value, path}) => {
    const added = listOf(mappingOf(mappingOf(value['securityContext'])['capabilities'])['add'])
    const found = added.filter((name) => DANGEROUS.has(String(name).toUpperCase().replace(/^CAP_/, ''))).map(String)
    if (found.length === 0) return []
    const place = `${path}.securityContext.capabilities.add`
    return [issue('dangerous_capabilities', place, `Dangerous capabilities: ${found.toSorted().join(', ')}`)]
  })
}

const CLUSTER_KINDS = new Set([
  'clusterrole',
  'clusterrolebinding',
  'validatingwebhookconfiguration',
  'mutatingwebhookconfiguration',
])

export function findClusterPermissions({objects, kinds, commands}: Subjects): Finding[] {
  const named = objects.flatMap(({value, path}) => {
    const kind = textOf(value['kind'])
    return kind === undefined ? [] : [{value: kind, path: `${path}.kind`}]
  })
  const changed = [...named, ...kinds]
    .filter(({value}) => CLUSTER_KINDS.has(value.toLowerCase().replace(/s$/, '')))
    .map(({value, path}) => issue('cluster_permissions', path, `Changes permissions of the whole cluster: ${value}`))
  const typed = commands
    .filter(({value}) => value.split(/[\n;|&]/).some((line) => inOrder(line, KUBECTL_CLUSTER_ROLE)))
    .map(({path}) => issue('cluster_permissions', path, 'The command changes permissions of the whole cluster'))
  return [...changed, ...typed]
}

const KUBECTL_CLUSTER_ROLE = [
  /\bkubectl\b/i,
  /\b(?:create|apply|patch|replace|edit|delete)\b/i,
  /\bclusterrole(?:binding)?s?\b/i,
]
