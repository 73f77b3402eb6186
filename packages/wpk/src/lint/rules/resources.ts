import type {Json, JsonObject} from '../../canonical.ts'
import type {Finding} from '../../document/finding.ts'
import {parseQuantity} from '../../document/quantity.ts'
import {issue} from '../catalogue.ts'
import type {Subjects} from '../subjects.ts'
import {mappingOf} from '../values.ts'

const MAX_CPUS = 4
const MAX_REPLICAS = 50

export function findMissingLimits({containers}: Subjects): Finding[] {
  return containers.flatMap(({value, path, complete}) => {
    if (!complete) return []
    const limits = mappingOf(mappingOf(value['resources'])['limits'])
    const missing = ['cpu', 'memory'].filter((name) => limits[name] === undefined || limits[name] === '')
    if (missing.length === 0) return []
    return [issue('missing_limits', `${path}.resources`, `The container has no limit of ${missing.join(' and ')}`)]
  })
}

/** Limits, and requests, which cost as much (atom-protocol.md 8.5). */
export function findExcessiveResources({containers}: Subjects, document: JsonObject): Finding[] {
  const inContainers = containers.flatMap(({value, path}) => {
    const resources = mappingOf(value['resources'])
    const inPods = ['limits', 'requests'].flatMap((key) =>
      resourceFindings(mappingOf(resources[key]), `${path}.resources.${key}`),
    )
    // Docker handlers have no `resources` around their limits.
    return [...inPods, ...resourceFindings(mappingOf(value['limits']), `${path}.limits`)]
  })
  const requirements = mappingOf(mappingOf(mappingOf(document['spec'])['runtime'])['requirements'])
  return [...inContainers, ...resourceFindings(requirements, 'spec.runtime.requirements')]
}

function resourceFindings({cpu, memory}: JsonObject, path: string): Finding[] {
  const findings: Finding[] = []
  if (amountOf(cpu) > MAX_CPUS)
    findings.push(issue('excessive_resources', `${path}.cpu`, `More than 4 CPUs: ${String(cpu)}`))
  if (amountOf(memory) > memoryLimit(memory)) {
    findings.push(issue('excessive_resources', `${path}.memory`, `More than 8Gi of memory: ${String(memory)}`))
  }
  return findings
}

function amountOf(value: Json | undefined): number {
  return (typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined) ?? 0
}

/** "8" in the unit that was written: 8G is less than 8Gi, but neither is too much; 8192M is the same in its unit. */
function memoryLimit(value: Json | undefined): number {
  const unit = /[A-Za-z]*$/.exec(String(value))?.[0] ?? ''
  if (unit === 'M') return 8192e6
  return unit === 'G' || unit === 'T' ? 8e9 : 8 * 2 ** 30
}

export function findExcessiveReplicas({replicas}: Subjects): Finding[] {
  return replicas.flatMap(({value, path}) => {
    const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
    if (typeof count !== 'number' || count <= MAX_REPLICAS) return []
    return [issue('excessive_replicas', path, `More than ${MAX_REPLICAS} replicas: ${count}`)]
  })
}
