import type {Json, JsonObject} from '../canonical.ts'
import {appendPath} from '../document/path.ts'

/** The lint reads documents of any shape, so every look inside is a careful one. */
export function isMapping(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function mappingOf(value: Json | undefined): JsonObject {
  return isMapping(value) ? value : {}
}

export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A value with its place in the document. */
export interface Placed<Value> {
  value: Value
  path: string
}

export function placeItems(value: Json | undefined, path: string): Placed<JsonObject>[] {
  return listOf(value)
    .map((item, index) => ({value: item, path: appendPath(path, index)}))
    .filter((item): item is Placed<JsonObject> => isMapping(item.value))
}

export interface PlacedText extends Placed<string> {
  /** The nearest key above the text. */
  key: string
}

/** Every string of a value with its place. */
export function* textsIn(value: Json | undefined, path: string, key = ''): Generator<PlacedText> {
  if (typeof value === 'string') yield {value, path, key}
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* textsIn(item, appendPath(path, index), key)
  } else if (isMapping(value)) {
    for (const [name, item] of Object.entries(value)) yield* textsIn(item, appendPath(path, name), name)
  }
}
