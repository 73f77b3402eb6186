import type {Json} from '../canonical.ts'
import {parseDuration} from '../document/duration.ts'
import {isMapping} from './declarations.ts'
import type {ParameterDeclaration} from './declarations.ts'
import {schemaProblems} from './json-schema.ts'

type ParameterType = ParameterDeclaration['type']

const TYPES: Record<ParameterType, {what: string; matches: (value: Json) => boolean}> = {
  string: {what: 'a string', matches: (value) => typeof value === 'string'},
  integer: {what: 'a whole number', matches: (value) => Number.isSafeInteger(value)},
  number: {what: 'a number', matches: (value) => typeof value === 'number' && Number.isFinite(value)},
  boolean: {what: 'true or false', matches: (value) => typeof value === 'boolean'},
  array: {what: 'a list', matches: (value) => Array.isArray(value)},
  object: {what: 'a mapping', matches: isMapping},
  duration: {
    what: 'a duration such as 30s, 5m or 1h30m',
    matches: (value) => typeof value === 'string' && parseDuration(value) !== undefined,
  },
  secret: {what: 'a reference to a secret', matches: () => false},
}

/** Every way in which a value breaks its declaration; empty when it fits. */
export function valueProblems(declaration: ParameterDeclaration, value: Json): string[] {
  const type = TYPES[declaration.type]
  if (!type.matches(value)) return [`must be ${type.what}, not ${describeKind(value)}`]
  return declaration.schema ? schemaProblems(declaration.schema, value) : []
}

/** Names the kind and never the value: it may be meant as a secret. */
function describeKind(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
}
