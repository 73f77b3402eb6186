import type {Json, JsonObject} from '@atomctl/protocol/values'
import {parseJson} from '../kubernetes/values.ts'
import {isObject} from '../program.ts'

/** RFC 7396. A strategic merge differs in lists only, which a rehearsal replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = {...target}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = isObject(value) ? mergePatch(objectAt(merged, key), value) : value
  }
  return merged
}

function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key]
  return isObject(value) ? value : {}
}

/** The objects of a stream of documents, each of them JSON. */
export function splitDocuments(text: string): JsonObject[] {
  return text
    .split(/^---$/m)
    .map((part): Json | undefined => parseJson(part))
    .filter((object) => isObject(object))
}
