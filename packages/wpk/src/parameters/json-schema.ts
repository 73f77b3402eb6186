import {createRequire} from 'node:module'

import type {Ajv, ErrorObject, Options, ValidateFunction} from 'ajv'

import type {Json, JsonObject} from '../canonical.ts'
import {patternEngine, PatternTimeout} from './pattern.ts'
import {isPlainSchema, satisfiesPlainSchema} from './plain-schema.ts'

/** Strict: a misspelt keyword is an error, not a check that silently never happens. Values are never coerced. */
const OPTIONS: Options = {
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  ownProperties: true,
  logger: false,
  code: {regExp: patternEngine},
}

const load = createRequire(import.meta.url)

/** Loaded on first use: most packages have no `schema` keywords, and every command pays for start-up. */
function createValidator(options: Options): Ajv {
  const {Ajv: Constructor} = load('ajv') as {Ajv: new (options: Options) => Ajv}
  const {default: addFormats} = load('ajv-formats') as {default: (instance: Ajv) => void}
  const ajv = new Constructor(options)
  addFormats(ajv)
  return ajv
}

/** Compiling writes code, so a package must not have us write much of it. */
const LARGEST = 16_384
/** Compiling takes milliseconds, and thousands of packages have the same few schemas. */
const REMEMBERED = 256

/** By the exact text: what it checks depends on nothing else. */
const compiled = new Map<string, ValidateFunction>()
let metaValidator: Ajv | undefined

/** The validator for these JSON Schema keywords. Throws a plain Error when they are no JSON Schema. */
function compile(schema: JsonObject): ValidateFunction {
  const text = JSON.stringify(schema)
  const known = compiled.get(text)
  if (known) return known
  if (text.length > LARGEST) throw new RangeError(`it has more than ${LARGEST} characters`)
  if (!isPlainSchema(schema)) checkKeywords(schema)
  // A new one each, because ajv keeps schemas, ids and patterns for ever, and those of one package are no business of
  // the next.
  const validate = createValidator({...OPTIONS, meta: false, validateSchema: false}).compile(schema)
  const [oldest] = compiled.keys()
  if (compiled.size >= REMEMBERED && oldest !== undefined) compiled.delete(oldest)
  compiled.set(text, validate)
  return validate
}

/** Holds the schema against the schema of schemas. */
function checkKeywords(schema: JsonObject): void {
  // One for all, which only looks: it keeps nothing of a schema, and has the schema of schemas compiled once.
  metaValidator ??= createValidator(OPTIONS)
  // oxlint-disable-next-line typescript/no-floating-promises -- asynchronous for an asynchronous meta-schema only
  metaValidator.validateSchema(schema, true)
}

/** Plain, and no larger than any schema may be. */
function isPlain(schema: JsonObject): boolean {
  return isPlainSchema(schema) && JSON.stringify(schema).length <= LARGEST
}

/** What is wrong with the keywords themselves, or undefined. */
export function describeSchemaProblem(schema: JsonObject): string | undefined {
  if (isPlain(schema)) return undefined
  try {
    compile(schema)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Each way in which the value breaks the keywords, in words such as `must be >= 1`. */
export function schemaProblems(schema: JsonObject, value: Json): string[] {
  if (isPlain(schema) && satisfiesPlainSchema(schema, value)) return []
  const problem = describeSchemaProblem(schema)
  if (problem !== undefined) return [`cannot be checked: ${problem}`]
  const validate = compile(schema)
  try {
    return validate(value) ? [] : [...new Set((validate.errors ?? []).map(describeError))]
  } catch (error) {
    if (error instanceof PatternTimeout) return [`cannot be checked: ${error.message}`]
    throw error
  }
}

function describeError({instancePath, keyword, message = 'is not valid', params}: ErrorObject): string {
  const place = instancePath === '' ? '' : `at ${instancePath} `
  if (keyword === 'enum')
    return `${place}must be one of ${(params['allowedValues'] as Json[]).map((v) => JSON.stringify(v)).join(', ')}`
  if (keyword === 'const') return `${place}must be ${JSON.stringify(params['allowedValue'])}`
  if (keyword === 'additionalProperties') return `${place}must not have the property ${params['additionalProperty']}`
  return `${place}${message}`
}
