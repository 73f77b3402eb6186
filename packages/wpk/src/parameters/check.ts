import type {JsonObject} from '../canonical.ts'
import type {Finding} from '../document/finding.ts'
import type {ParameterDeclaration} from './declarations.ts'
import {describeSchemaProblem} from './json-schema.ts'
import {problemsOf, unknownMessage} from './resolve.ts'
import {valueProblems} from './values.ts'

/**
 * The runtime's check of parameters it was sent, already typed: every missing, unknown and invalid one. Paths are
 * parameter names. What was given for a secret is refused without being repeated.
 */
export function checkParameters(
  declarations: readonly ParameterDeclaration[] | undefined,
  values: JsonObject,
): Finding[] {
  if (!declarations) return []
  const known = declarations.map(({name}) => name)
  const unknown = Object.keys(values)
    .filter((name) => !known.includes(name))
    .map((name) => parameterFinding('parameter_unknown', name, unknownMessage(name, known)))
  return [...unknown, ...declarations.flatMap((declaration) => valueFindings(declaration, values))]
}

function valueFindings(declaration: ParameterDeclaration, values: JsonObject): Finding[] {
  const {name, required, type} = declaration
  if (!Object.hasOwn(values, name)) {
    return required && type !== 'secret' && declaration.default === undefined
      ? [parameterFinding('parameter_missing', name, 'is required')]
      : []
  }
  return problemsOf(declaration, values[name]!).map((problem) => parameterFinding('parameter_invalid', name, problem))
}

function parameterFinding(rule: string, name: string, message: string): Finding {
  return {rule, severity: 'error', message: `Parameter ${name} ${message}`, path: name}
}

/** What is wrong with the declarations themselves; paths are below `path`. */
export function checkDeclarations(declarations: readonly ParameterDeclaration[], path: string): Finding[] {
  const seen = new Set<string>()
  return declarations.flatMap((declaration, index) => {
    const duplicate = seen.has(declaration.name)
    seen.add(declaration.name)
    return declarationFindings(declaration, `${path}[${index}]`, duplicate)
  })
}

function declarationFindings(declaration: ParameterDeclaration, path: string, duplicate: boolean): Finding[] {
  const {name, type, required, schema, default: fallback} = declaration
  const findings: Finding[] = []
  const report = (rule: string, key: string, message: string, severity: Finding['severity'] = 'error') =>
    findings.push({rule, severity, message, path: `${path}.${key}`})
  if (duplicate) report('parameter_duplicate', 'name', `The parameter ${name} is declared twice`)
  const problem = schema && describeSchemaProblem(schema)
  if (problem !== undefined) report('parameter_schema', 'schema', `The schema of ${name} is not usable: ${problem}`)
  if (type !== 'secret' && (declaration.sources || declaration.vault)) {
    report(
      'parameter_sources',
      declaration.sources ? 'sources' : 'vault',
      `Only parameters of type secret have sources`,
    )
  }
  if (fallback === undefined) return findings
  if (type === 'secret')
    report('parameter_default', 'default', `The secret ${name} must not have a default in the file`)
  else if (problem === undefined) {
    for (const wrong of valueProblems(declaration, fallback))
      report('parameter_default', 'default', `The default of ${name} ${wrong}`)
  }
  if (required) report('parameter_required', 'required', `${name} has a default, so required changes nothing`, 'info')
  return findings
}
