import type {Json, JsonObject} from '../canonical.ts'

const TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

const isNumber = (value: Json): value is number => typeof value === 'number'
const isCount = (value: Json): boolean => Number.isInteger(value) && (value as number) >= 0
const isText = (value: Json): value is string => typeof value === 'string'

/** One keyword: what the schema of schemas (draft-07) asks of its value, and which values it certainly lets pass. */
interface Keyword {
  readonly takes: (keyword: Json) => boolean
  readonly admits: (value: Json, keyword: never) => boolean
}

const always = (): boolean => true
const note: Keyword = {takes: isText, admits: always}

/** A bound says nothing of values that are no numbers, texts or lists; those are left to ajv, as all doubt is. */
const bound = (holds: (value: number, limit: number) => boolean): Keyword => ({
  takes: isNumber,
  admits: (value, limit) => isNumber(value) && holds(value, limit),
})
const length = (holds: (length: number, limit: number) => boolean): Keyword => ({
  takes: isCount,
  // in characters, as JSON Schema counts, not in UTF-16 units
  admits: (value, limit) => isText(value) && holds(Array.from(value).length, limit),
})
const items = (holds: (length: number, limit: number) => boolean): Keyword => ({
  takes: isCount,
  admits: (value, limit) => Array.isArray(value) && holds(value.length, limit),
})
const atLeast = (value: number, limit: number): boolean => value >= limit
const atMost = (value: number, limit: number): boolean => value <= limit

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  $comment: note,
  const: {takes: always, admits: (value, keyword) => isScalar(value) && value === keyword},
  description: note,
  enum: {
    takes: (values) => Array.isArray(values) && values.length > 0 && values.every(isScalar) && isUnique(values),
    admits: (value, values: Json[]) => isScalar(value) && values.includes(value),
  },
  exclusiveMaximum: bound((value, limit) => value < limit),
  exclusiveMinimum: bound((value, limit) => value > limit),
  items: {
    takes: (schema) => isPlainSchema(schema),
    admits: (value, schema) => Array.isArray(value) && value.every((item) => satisfiesPlainSchema(schema, item)),
  },
  maxItems: items(atMost),
  maxLength: length(atMost),
  maximum: bound(atMost),
  minItems: items(atLeast),
  minLength: length(atLeast),
  minimum: bound(atLeast),
  multipleOf: {takes: (value) => isNumber(value) && value > 0, admits: () => false},
  pattern: {takes: isPattern, admits: () => false},
  title: note,
  type: {
    takes: (value) => isText(value) && TYPES.has(value),
    admits: (value, type) => (type === 'integer' ? Number.isInteger(value) : typeof value === type && value !== null),
  },
  uniqueItems: {
    takes: (value) => typeof value === 'boolean',
    admits: (value) => Array.isArray(value) && value.every(isScalar) && isUnique(value),
  },
}

/**
 * Whether this is certainly a JSON Schema that ajv compiles: only keywords of the list, with values they can have.
 * Loading ajv and having it compile the schema of schemas takes longer than all the rest of `validate`; what is not so
 * plain, it still judges.
 */
export function isPlainSchema(schema: Json): schema is JsonObject {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return false
  return Object.entries(schema).every(([key, value]) => Object.hasOwn(KEYWORDS, key) && KEYWORDS[key]!.takes(value))
}

/** Whether the value certainly satisfies a plain schema; where this says no, ajv is asked, and says why. */
export function satisfiesPlainSchema(schema: JsonObject, value: Json): boolean {
  return Object.entries(schema).every(([key, keyword]) => KEYWORDS[key]!.admits(value, keyword as never))
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
