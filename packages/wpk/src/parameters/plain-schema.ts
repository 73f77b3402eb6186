import type {Json, JsonObject} from '../canonical.ts'

const TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

const isNumber = (value: Json): boolean => typeof value === 'number'
const isCount = (value: Json): boolean => Number.isInteger(value) && (value as number) >= 0
const isText = (value: Json): boolean => typeof value === 'string'

/** The keywords that most packages use, each with what the schema of schemas (draft-07) asks of its value. */
const KEYWORDS: Readonly<Record<string, (value: Json) => boolean>> = {
  $comment: isText,
  const: () => true,
  description: isText,
  enum: (value) => Array.isArray(value) && value.length > 0 && value.every(isScalar) && isUnique(value),
  exclusiveMaximum: isNumber,
  exclusiveMinimum: isNumber,
  format: isText,
  items: (value) => isPlainSchema(value),
  maxItems: isCount,
  maxLength: isCount,
  maximum: isNumber,
  minItems: isCount,
  minLength: isCount,
  minimum: isNumber,
  multipleOf: (value) => typeof value === 'number' && value > 0,
  pattern: isPattern,
  title: isText,
  type: (value) => typeof value === 'string' && TYPES.has(value),
  uniqueItems: (value) => typeof value === 'boolean',
}

/**
 * Whether this is certainly a JSON Schema: only keywords of the list, with values they can have. Having ajv compile the
 * schema of schemas to say so takes as long as all the rest of `validate`; what is not so plain, it still judges.
 */
export function isPlainSchema(schema: Json): schema is JsonObject {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return false
  return Object.entries(schema).every(([key, value]) => Object.hasOwn(KEYWORDS, key) && KEYWORDS[key]!(value))
}

function isScalar(value: Json): boolean {
  return value === null || typeof value !== 'object'
}

function isUnique(values: readonly Json[]): boolean {
  return new Set(values).size === values.length
}

function isPattern(value: Json): boolean {
  if (typeof value !== 'string') return false
  try {
    return new RegExp(value, 'u').unicode
  } catch {
    return false
  }
}
