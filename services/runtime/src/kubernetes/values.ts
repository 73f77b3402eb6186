import type {Json, JsonObject} from '@atomctl/protocol/values'
import {AtomError} from '@atomctl/wpk/errors'
import {expandPlaceholders, parameterNameOf, placeholdersIn} from '@atomctl/wpk/parameters'
import {isObject} from '../program.ts'

const WHOLE = /^\$\{[^{}]+\}$/

/**
 * Fills placeholders inside strings, so that a value cannot change the structure around it. A string that is nothing
 * but one placeholder of a number or boolean becomes that number or boolean, because Kubernetes tells 3 from "3".
 * Throws PARAMETER_INVALID.
 */
export function fillValue(value: Json, values: JsonObject): Json {
  if (typeof value === 'string') return fillText(value, values)
  if (Array.isArray(value)) return value.map((item) => fillValue(item, values))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillValue(item, values)]))
}

function fillText(text: string, values: JsonObject): Json {
  const filled = expandPlaceholders(text, values)
  const name = WHOLE.test(text) ? parameterNameOf(text.slice(2, -1)) : undefined
  const value = name !== undefined && Object.hasOwn(values, name) ? values[name] : filled
  return typeof value === 'number' || typeof value === 'boolean' ? value : filled
}

/** A label value inside a selector; anything else could choose other objects than the package's author meant. */
const LABEL_PART = /^[A-Za-z0-9._/-]*$/

/** Throws PARAMETER_INVALID when a value would change what a selector selects by. */
export function fillSelector(text: string, values: JsonObject): string {
  const filled = expandPlaceholders(text, values)
  if (WHOLE.test(text)) return filled
  for (const {name} of placeholdersIn(text)) {
    const part = expandPlaceholders(`\${${name}}`, values)
    if (!LABEL_PART.test(part))
      throw new AtomError('PARAMETER_INVALID', `\${${name}} is no label value: ${JSON.stringify(part.slice(0, 80))}`)
  }
  return filled
}

/** A whole number of at least zero; throws PARAMETER_INVALID. */
export function readCount(config: JsonObject, key: string): number | undefined {
  const value = config[key]
  if (value === undefined) return undefined
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0) return count
  throw new AtomError('PARAMETER_INVALID', `${key} must be a whole number, not ${JSON.stringify(value)}`)
}

export function readText(config: JsonObject, key: string): string | undefined {
  const value = config[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A mapping of names to texts, as annotations and labels are. */
export function readTexts(value: Json | undefined): Record<string, string> {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item : JSON.stringify(item)]),
  )
}

/** Object at a path, as far as there is one. */
export function valueAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found = value
  for (const key of path) found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  return found
}

/** The patch: in the config, or as the value that its text names. Throws PARAMETER_INVALID when it is neither. */
export function readPatch(config: JsonObject, values: JsonObject): Json {
  const written = config['patch'] ?? config['data'] ?? null
  const named = typeof written === 'string' && Object.hasOwn(values, written) ? values[written] : written
  const patch = typeof named === 'string' ? parseJson(named) : named
  if (isObject(patch) || Array.isArray(patch)) return patch
  throw new AtomError('PARAMETER_INVALID', 'The patch must be a mapping, or the name of a parameter or output with one')
}

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
