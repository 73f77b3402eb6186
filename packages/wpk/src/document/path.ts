export type PathSegment = string | number

const IDENTIFIER = /^[A-Za-z_][\w-]*$/

/** `['spec', 'handlers', 0]` → `spec.handlers[0]`; keys that are not identifiers are written `["a.b"]`. */
export function formatPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => appendPath(path, segment as PathSegment), '')
}

/** One step further than `path`. */
export function appendPath(path: string, segment: PathSegment): string {
  if (typeof segment === 'number') return `${path}[${segment}]`
  if (!IDENTIFIER.test(segment)) return `${path}[${JSON.stringify(segment)}]`
  return path === '' ? segment : `${path}.${segment}`
}

/** The path one level up, or undefined at the top. */
export function parentPath(path: string): string | undefined {
  if (path === '') return undefined
  const cut = path.endsWith('"]') ? path.lastIndexOf('["') : Math.max(path.lastIndexOf('.'), path.lastIndexOf('['))
  return cut <= 0 ? '' : path.slice(0, cut)
}
