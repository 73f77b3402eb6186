import type {Json} from '@atomctl/wpk/canonical'

/** One difference between two documents. */
export interface Change {
  path: string
  kind: 'added' | 'removed' | 'changed'
  from?: Json
  to?: Json
}

/** Every difference between two JSON values, by path, in document order. */
export function compareValues(from: Json | undefined, to: Json | undefined, path = ''): Change[] {
  if (from === undefined) return to === undefined ? [] : [{path, kind: 'added', to}]
  if (to === undefined) return [{path, kind: 'removed', from}]
  if (isContainer(from) && isContainer(to) && Array.isArray(from) === Array.isArray(to)) {
    return keysOf(from, to).flatMap((key) => compareValues(member(from, key), member(to, key), join(path, key, from)))
  }
  return Object.is(from, to) ? [] : [{path, kind: 'changed', from, to}]
}

type Container = Json[] | {[key: string]: Json}

const isContainer = (value: Json): value is Container => typeof value === 'object' && value !== null

function keysOf(from: Container, to: Container): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
}

function member(container: Container, key: string): Json | undefined {
  return Object.hasOwn(container, key) ? (container as {[key: string]: Json})[key] : undefined
}

function join(path: string, key: string, container: Container): string {
  if (Array.isArray(container)) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}
