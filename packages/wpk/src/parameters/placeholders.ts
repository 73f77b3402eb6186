import type {Json, JsonObject} from '../canonical.ts'
import {appendPath} from '../document/path.ts'
import {AtomError} from '../errors.ts'

/** `${NAME}` and `${params.name}` (spec: WPK format, "Parameters"); anything else in braces is not ours. */
const PLACEHOLDER = /\$\{([^{}]*)\}/g
const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const PARAMETER_NAME = /^params\.([A-Za-z_][A-Za-z0-9_]*)$/

export interface Placeholder {
  /** As written between the braces. */
  name: string
  /** The string it stands in. */
  path: string
}

/** Every placeholder in the strings of a value, keys excluded, in document order. */
export function placeholdersIn(value: Json, path = ''): Placeholder[] {
  if (typeof value === 'string') return namesIn(value).map((name) => ({name, path}))
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((child, index) => placeholdersIn(child, appendPath(path, index)))
  return Object.entries(value).flatMap(([key, child]) => placeholdersIn(child, appendPath(path, key)))
}

function namesIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!)
}

/** The parameter a placeholder asks for: `${NAMESPACE}` and `${params.namespace}` both mean `namespace`. */
export function parameterNameOf(placeholder: string): string | undefined {
  const reference = PARAMETER_NAME.exec(placeholder)
  if (reference) return reference[1]
  return ENVIRONMENT_NAME.test(placeholder) ? placeholder.toLowerCase() : undefined
}

/**
 * The text with every placeholder replaced, in one pass: a value that looks like a placeholder stays as it is.
 * Parameters come first, then, for `${NAME}` alone, the environment. Throws PARAMETER_INVALID for what neither knows.
 */
export function expandPlaceholders(
  text: string,
  values: JsonObject,
  environment?: (name: string) => string | undefined,
): string {
  return text.replace(PLACEHOLDER, (written, name: string) => {
    const value = lookUp(name, values) ?? environmentValue(name, environment)
    if (value === undefined) throw unknownPlaceholder(written, values)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

function lookUp(placeholder: string, values: JsonObject): Json | undefined {
  const name = parameterNameOf(placeholder)
  if (name === undefined) return undefined
  if (Object.hasOwn(values, name)) return values[name]
  if (placeholder.startsWith('params.')) return undefined
  return Object.hasOwn(values, placeholder) ? values[placeholder] : undefined
}

function environmentValue(name: string, environment?: (name: string) => string | undefined): string | undefined {
  return environment && ENVIRONMENT_NAME.test(name) ? environment(name) : undefined
}

function unknownPlaceholder(written: string, values: JsonObject): AtomError {
  const name = parameterNameOf(written.slice(2, -1)) ?? 'NAME'
  return new AtomError('PARAMETER_INVALID', `Nothing gives a value to ${written.slice(0, 80)}`, {
    hint: `-p ${name}=VALUE`,
    details: {placeholder: written.slice(0, 80), known: Object.keys(values)},
  })
}
