import type {Json} from '../canonical.ts'
import type {Finding} from './finding.ts'
import {appendPath} from './path.ts'
import {RESERVED_KEYS} from './scalars.ts'
import {MAX_DEPTH, MAX_NODES} from './tokens.ts'

interface Visit {
  value: unknown
  path: string
  depth: number
}

/**
 * The part of the gate that values can fail which were never YAML text: limits, keys, and what no file can hold.
 * Walks without recursion and stops at the first excess.
 */
export function checkJson(root: Json): Finding[] {
  const findings: Finding[] = []
  const open: Visit[] = [{value: root, path: '', depth: 0}]
  for (let nodes = 1; open.length > 0; nodes++) {
    const {value, path, depth} = open.pop()!
    if (nodes > MAX_NODES) return [refuse('yaml_nodes', path, `More than ${MAX_NODES} values`)]
    if (depth > MAX_DEPTH) return [refuse('yaml_depth', path, `Nested more than ${MAX_DEPTH} levels deep`)]
    if (typeof value !== 'object' || value === null) findings.push(...scalarFindings(value, path))
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        open.push({value: item, path: appendPath(path, index), depth: depth + 1})
    } else {
      findings.push(...Object.keys(value).flatMap((key) => keyFindings(key, path)))
      for (const [key, item] of Object.entries(value))
        open.push({value: item, path: appendPath(path, key), depth: depth + 1})
    }
  }
  return findings
}

function scalarFindings(value: unknown, path: string): Finding[] {
  if (typeof value === 'string') {
    return value.isWellFormed() ? [] : [refuse('yaml_character', path, 'The string holds half of a surrogate pair')]
  }
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return []
  return [refuse('yaml_value', path, `A ${typeof value} is no JSON value`)]
}

function keyFindings(key: string, path: string): Finding[] {
  if (RESERVED_KEYS.has(key)) return [refuse('yaml_reserved_key', path, `The key ${key} is not allowed`)]
  if (!key.isWellFormed()) return [refuse('yaml_character', path, 'A key holds half of a surrogate pair')]
  if (key.normalize('NFC') !== key) return [refuse('yaml_unicode_key', path, `The key ${key} is not in Unicode NFC`)]
  return []
}

function refuse(rule: string, path: string, message: string): Finding {
  return {rule, severity: 'error', message, path}
}
