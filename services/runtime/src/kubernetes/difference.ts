import type {Json, JsonObject} from '@atomctl/protocol/values'
import {isObject} from '../program.ts'
import {MASK} from './redaction.ts'

const LONGEST = 60
const LONGEST_VALUE = 200

/** What the server itself keeps up to date, which no change of a user means. */
const SERVER_OWNED: ReadonlySet<string> = new Set(
  ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'].map(
    (key) => `metadata.${key}`,
  ),
)
/** kubectl's copy of the whole manifest, Secrets included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * What changes between an object as it is and as the API's dry run returned it, a line per field; values of Secrets
 * are never shown.
 */
export function describeDifference(before: Json | undefined, after: Json): string[] {
  const [old, fresh] = [leavesOf(before), leavesOf(after)]
  const isSecret = isObject(after) && after['kind'] === 'Secret'
  const shown = (path: string, text: string): string =>
    isSecret && /^(data|stringData)\./.test(path) ? MASK : shorten(text)
  const lines = [...new Set([...old.keys(), ...fresh.keys()])].toSorted().flatMap((path) => {
    const [from, to] = [old.get(path), fresh.get(path)]
    if (from === to) return []
    if (from === undefined) return [`  + ${path}: ${shown(path, to ?? '')}`]
    if (to === undefined) return [`  - ${path}: ${shown(path, from)}`]
    return [`  ~ ${path}: ${shown(path, from)} → ${shown(path, to)}`]
  })
  if (lines.length <= LONGEST) return lines
  return [...lines.slice(0, LONGEST), `  … and ${lines.length - LONGEST} more fields`]
}

function leavesOf(object: Json | undefined): Map<string, string> {
  const leaves = new Map<string, string>()
  const walk = (value: Json, path: string): void => {
    if (SERVER_OWNED.has(path) || path === 'status' || path.endsWith(LAST_APPLIED)) return
    if (Array.isArray(value) && value.length > 0) return value.forEach((item, index) => walk(item, `${path}[${index}]`))
    if (isObject(value) && Object.keys(value).length > 0) return walkObject(value, path)
    leaves.set(path, JSON.stringify(value))
  }
  const walkObject = (value: JsonObject, path: string): void => {
    for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`)
  }
  if (object !== undefined && object !== null) walk(object, '')
  return leaves
}

function shorten(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`
}
