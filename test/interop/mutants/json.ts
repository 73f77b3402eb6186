import type {Json, JsonObject} from '@atomctl/wpk/canonical'

export type Path = readonly (string | number)[]

/** A value somewhere in a JSON text. */
export interface Place {
  readonly path: Path
  readonly value: Json
}

/** JSON text that stands where a value stood: also what no value can be, such as an object with a key twice. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** In the place of a value; `undefined` takes it away. */
export type Replacement = Json | RawJson | undefined

/** Every value in a JSON value, itself included, outermost first. */
export function* placesOf(value: Json, path: Path = []): Generator<Place> {
  yield {path, value}
  if (typeof value !== 'object' || value === null) return
  const children: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  for (const [key, child] of children) yield* placesOf(child, [...path, key])
}

/** The value at a path; undefined where there is none. */
export function valueAt(root: Json | undefined, path: Path): Json | undefined {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as JsonObject)[key]
  }
  return value
}

/** The text of a JSON value with another value, or text, at one place. */
export function textWith(root: Json, path: Path, replacement: Replacement): string {
  if (replacement instanceof RawJson) {
    const mark = '\u0000raw'
    return JSON.stringify(replace(root, path, mark)).replace(JSON.stringify(mark), () => replacement.text)
  }
  return JSON.stringify(replace(root, path, replacement)) ?? ''
}

function replace(root: Json, [key, ...rest]: Path, replacement: Json | undefined): Json | undefined {
  if (key === undefined) return replacement
  if (Array.isArray(root)) {
    return root.flatMap((child, index) => {
      const changed = index === key ? replace(child, rest, replacement) : child
      return changed === undefined ? [] : [changed]
    })
  }
  const entries = Object.entries(root as JsonObject).map(([name, child]) => {
    return [name, name === key ? replace(child, rest, replacement) : child] as const
  })
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined)) as JsonObject
}

export function textOfPath(path: Path): string {
  return path.length === 0 ? 'the whole' : path.join('.')
}
