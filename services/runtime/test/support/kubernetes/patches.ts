/** JSON as the API keeps it. */
export type Value = null | boolean | number | string | Value[] | {[key: string]: Value}
export type Mapping = {[key: string]: Value}

/** What identifies an item of the lists that a strategic patch merges instead of replacing. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  conditions: 'type',
  ownerReferences: 'uid',
}

export function isMapping(value: Value | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object after a patch of that media type; `undefined` when the type is unknown. Throws on a bad JSON patch. */
export function applyPatch(object: Mapping, patch: Value, mediaType: string): Mapping | undefined {
  const type = mediaType.split(';')[0]?.trim()
  if (type === 'application/json-patch+json') return applyOperations(object, patch)
  if (type === 'application/merge-patch+json') return merge(object, patch, false) as Mapping
  const isStrategic = type === 'application/strategic-merge-patch+json' || type === 'application/apply-patch+yaml'
  return isStrategic ? (merge(object, patch, true) as Mapping) : undefined
}

function merge(old: Value | undefined, patch: Value, isStrategic: boolean, key = ''): Value {
  if (Array.isArray(patch)) {
    const by = isStrategic ? MERGE_KEYS[key] : undefined
    return by !== undefined && Array.isArray(old) ? mergeLists(old, patch, by) : patch
  }
  if (!isMapping(patch)) return patch
  const merged: Mapping = isMapping(old) && patch['$patch'] !== 'replace' ? {...old} : {}
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) continue
    if (value === null) delete merged[name]
    else merged[name] = merge(merged[name], value, isStrategic, name)
  }
  return merged
}

function mergeLists(old: readonly Value[], patch: readonly Value[], by: string): Value[] {
  const merged = [...old]
  for (const item of patch.filter(isMapping)) {
    const at = merged.findIndex((candidate) => isMapping(candidate) && candidate[by] === item[by])
    if (item['$patch'] === 'delete') merged.splice(at, at < 0 ? 0 : 1)
    else if (at < 0) merged.push(item)
    else merged[at] = merge(merged[at], item, true)
  }
  return merged
}

function applyOperations(object: Mapping, operations: Value): Mapping {
  const changed = structuredClone(object)
  for (const operation of Array.isArray(operations) ? operations.filter(isMapping) : []) applyOne(changed, operation)
  return changed
}

function applyOne(object: Mapping, {op, path, value = null}: Mapping): void {
  const keys = String(path)
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = keys.pop() ?? ''
  let parent: Value | undefined = object
  for (const key of keys)
    parent = Array.isArray(parent) ? parent[Number(key)] : isMapping(parent) ? parent[key] : undefined
  if (op === 'test') return
  if (Array.isArray(parent)) {
    if (op === 'remove') parent.splice(Number(last), 1)
    else if (op === 'add') parent.splice(last === '-' ? parent.length : Number(last), 0, value)
    else parent[Number(last)] = value
  } else if (!isMapping(parent)) throw new Error(`nothing at ${String(path)}`)
  else if (op === 'remove') delete parent[last]
  else parent[last] = value
}
