import type {Json, JsonObject} from '../canonical.ts'
import {suggestName} from '../suggestion.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {coerceParameter, sanitizeJson} from './coerce.ts'
import {isMapping} from './declarations.ts'
import type {ParameterDeclaration} from './declarations.ts'
import {SECRET_GIVEN} from './secrets.ts'
import {valueProblems} from './values.ts'

/** A source of values; `{text}` is text as typed, still to be read by the declared type. */
export interface ParameterLayer {
  origin: string
  values: Record<string, Json | {text: string}>
  /** True when the values came as JSON, so that a mapping `{text: …}` is that mapping and not typed text. */
  literal?: boolean
}

export interface ResolvedParameters {
  values: JsonObject
  /** Which layer each value came from; `default` for declared defaults. */
  origins: Record<string, string>
  /** Required parameters nobody gave: ask for them, or refuse the run. */
  missing: ParameterDeclaration[]
}

interface Problem {
  parameter: string
  origin: string
  message: string
}

/**
 * Merges the layers, the first one wins, and checks the outcome. Throws one PARAMETER_INVALID that names every unknown
 * and every invalid parameter. Text for undeclared parameters stays text.
 */
export function resolveParameters(
  declarations: readonly ParameterDeclaration[] | undefined,
  layers: readonly ParameterLayer[],
): ResolvedParameters {
  const problems: Problem[] = []
  const resolved = declarations ? resolveDeclared(declarations, layers, problems) : mergeLayers(layers, problems)
  if (problems.length > 0) throw invalid(problems)
  return resolved
}

function resolveDeclared(
  declarations: readonly ParameterDeclaration[],
  layers: readonly ParameterLayer[],
  problems: Problem[],
): ResolvedParameters {
  const resolved: ResolvedParameters = {values: {}, origins: {}, missing: []}
  problems.push(...unknownParameters(declarations, layers))
  for (const declaration of declarations) resolveOne(declaration, layers, resolved, problems)
  return resolved
}

function resolveOne(
  declaration: ParameterDeclaration,
  layers: readonly ParameterLayer[],
  resolved: ResolvedParameters,
  problems: Problem[],
): void {
  const {name} = declaration
  const layer = layers.find(({values}) => Object.hasOwn(values, name))
  if (layer) {
    const problem = assign(declaration, layer, resolved)
    if (problem) problems.push(problem)
  } else if (declaration.type === 'secret') {
    // The runtime finds it where the package says; nobody is asked for it.
  } else if (declaration.default !== undefined) {
    resolved.values[name] = declaration.default
    resolved.origins[name] = 'default'
  } else if (declaration.required) resolved.missing.push(declaration)
}

function assign(
  declaration: ParameterDeclaration,
  layer: ParameterLayer,
  resolved: ResolvedParameters,
): Problem | undefined {
  const {name} = declaration
  if (declaration.type === 'secret') return {parameter: name, origin: layer.origin, message: SECRET_GIVEN}
  try {
    const value = readValue(declaration, layer)
    const [message] = valueProblems(declaration, value)
    if (message !== undefined) return {parameter: name, origin: layer.origin, message}
    resolved.values[name] = value
    resolved.origins[name] = layer.origin
    return undefined
  } catch (error) {
    if (!isAtomError(error) && !(error instanceof RangeError)) throw error
    return {parameter: name, origin: layer.origin, message: error.message}
  }
}

/** Every way in which a value breaks its declaration; any value breaks that of a secret. */
export function problemsOf(declaration: ParameterDeclaration, value: Json): string[] {
  return declaration.type === 'secret' ? [SECRET_GIVEN] : valueProblems(declaration, value)
}

function readValue(declaration: ParameterDeclaration, layer: ParameterLayer): Json {
  const given = layer.values[declaration.name]!
  return isText(given, layer) ? coerceParameter(declaration, given.text) : sanitizeJson(given)
}

function isText(given: Json | {text: string}, {literal}: ParameterLayer): given is {text: string} {
  if (literal || !isMapping(given)) return false
  return typeof given['text'] === 'string' && Object.keys(given).length === 1
}

function unknownParameters(
  declarations: readonly ParameterDeclaration[],
  layers: readonly ParameterLayer[],
): Problem[] {
  const known = declarations.map(({name}) => name)
  return layers.flatMap(({origin, values}) =>
    Object.keys(values)
      .filter((name) => !known.includes(name))
      .map((name) => ({parameter: name, origin, message: unknownMessage(name, known)})),
  )
}

export function unknownMessage(name: string, known: readonly string[]): string {
  const meant = suggestName(name, known)
  if (meant !== undefined) return `is unknown: did you mean ${meant}?`
  return known.length > 0
    ? `is unknown: the package declares ${known.join(', ')}`
    : 'is unknown: the package declares none'
}

/** A package that declares nothing takes whatever it is given. */
function mergeLayers(layers: readonly ParameterLayer[], problems: Problem[]): ResolvedParameters {
  const resolved: ResolvedParameters = {values: {}, origins: {}, missing: []}
  for (const layer of layers) {
    for (const [name, given] of Object.entries(layer.values)) {
      if (!Object.hasOwn(resolved.values, name)) mergeOne(name, given, layer, resolved, problems)
    }
  }
  return resolved
}

function mergeOne(
  name: string,
  given: Json | {text: string},
  layer: ParameterLayer,
  resolved: ResolvedParameters,
  problems: Problem[],
): void {
  try {
    sanitizeJson({[name]: given})
    if (name === '__proto__') throw new RangeError('the key __proto__ is not allowed')
    resolved.values[name] = isText(given, layer) ? given.text : given
    resolved.origins[name] = layer.origin
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    problems.push({parameter: name, origin: layer.origin, message: error.message})
  }
}

function invalid(problems: readonly Problem[]): AtomError {
  const lines = problems.map(({parameter, origin, message}) => describeProblem(parameter, origin, message))
  return new AtomError('PARAMETER_INVALID', lines.join('; '), {
    hint: 'correct the values given with -p, --parameters, ATOMCTL_PARAM_… or the context',
    details: {problems},
  })
}

/** Messages of coerceParameter name the parameter themselves. */
function describeProblem(parameter: string, origin: string, message: string): string {
  const text = message.startsWith('Parameter ') ? message : `Parameter ${parameter} ${message}`
  return `${text} (from ${origin})`
}
