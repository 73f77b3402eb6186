import type * as z from 'zod'

import type {Json, JsonObject} from '../canonical.ts'
import type {parameterSchema} from '../document/schema.ts'

/** One entry of `spec.parameters` (spec: WPK format, "Parameters"). */
export type ParameterDeclaration = z.output<ReturnType<typeof parameterSchema>>

/** What a package declares; undefined when it declares nothing and so accepts any JSON object. */
export function declarationsOf(value: JsonObject): ParameterDeclaration[] | undefined {
  const spec = value['spec']
  if (!isMapping(spec) || !Array.isArray(spec['parameters'])) return undefined
  return spec['parameters'].filter(isDeclaration)
}

function isDeclaration(entry: Json): entry is Json & ParameterDeclaration {
  return isMapping(entry) && typeof entry['name'] === 'string' && typeof entry['type'] === 'string'
}

export function isMapping(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
