import type {Json} from '../canonical.ts'
import {RESERVED_KEYS} from '../document/scalars.ts'
import {AtomError} from '../errors.ts'
import type {ParameterDeclaration} from './declarations.ts'

const MAX_JSON_DEPTH = 64

/**
 * The value that text from the command line or the environment stands for, by the declared type: `3` is a number only
 * where a number is declared. Throws PARAMETER_INVALID when the text cannot be read as that type.
 */
export function coerceParameter(declaration: ParameterDeclaration, text: string): Json {
  switch (declaration.type) {
    case 'integer':
    case 'number':
      return readNumber(declaration, text)
    case 'boolean':
      return readBoolean(declaration, text)
    case 'array':
    case 'object':
      return readJson(declaration, text)
    default:
      return text
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function readNumber(declaration: ParameterDeclaration, text: string): number {
  const value = Number(text)
  const whole = declaration.type === 'integer'
  if (NUMBER.test(text) && (whole ? Number.isSafeInteger(value) : Number.isFinite(value))) return value
  throw unreadable(declaration, text, whole ? 'a whole number such as 3' : 'a number such as 1.5')
}

function readBoolean(declaration: ParameterDeclaration, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw unreadable(declaration, text, 'true or false')
}

function readJson(declaration: ParameterDeclaration, text: string): Json {
  const example = declaration.type === 'array' ? '\'["a", "b"]\'' : '\'{"a": 1}\''
  try {
    return sanitizeJson(JSON.parse(text) as Json)
  } catch (cause) {
    throw unreadable(declaration, text, `JSON such as ${example}`, cause)
  }
}

/** JSON from outside may carry keys that reach into prototypes once it is merged somewhere. */
export function sanitizeJson(value: Json, depth = 0): Json {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_JSON_DEPTH) throw new RangeError(`nested more than ${MAX_JSON_DEPTH} levels deep`)
  for (const key of Object.keys(value))
    if (RESERVED_KEYS.has(key)) throw new RangeError(`the key ${key} is not allowed`)
  for (const child of Object.values(value)) sanitizeJson(child, depth + 1)
  return value
}

function unreadable(declaration: ParameterDeclaration, text: string, what: string, cause?: unknown): AtomError {
  const received = text.length > 40 ? `${text.length} characters that are not` : `${JSON.stringify(text)}, which is not`
  return new AtomError('PARAMETER_INVALID', `Parameter ${declaration.name} is ${received} ${what}`, {
    hint: `-p ${declaration.name}=VALUE with ${what}`,
    details: {parameter: declaration.name, type: declaration.type},
    ...(cause !== undefined && {cause}),
  })
}
