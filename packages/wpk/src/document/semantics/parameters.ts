import {checkDeclarations} from '../../parameters/check.ts'
import {parameterNameOf, placeholdersIn} from '../../parameters/placeholders.ts'
import type {Placeholder} from '../../parameters/placeholders.ts'
import type {Finding} from '../finding.ts'
import type {Wpk} from '../schema.ts'
import {suggestName} from '../../suggestion.ts'
import {finding, meant, placedHandlers} from './rule.ts'
import type {PlacedHandler, SemanticRule} from './rule.ts'

export const checkParameterDeclarations: SemanticRule = ({spec}) =>
  spec.parameters ? checkDeclarations(spec.parameters, 'spec.parameters') : []

export const checkPlaceholders: SemanticRule = (wpk) => {
  const names = fillableNames(wpk)
  return placedHandlers(wpk).flatMap((placed) => handlerFindings(placed, names))
}

/**
 * Parameters and outputs of handlers; undefined when they cannot be told: without a declared list any parameter may be
 * given, and a command that writes $ATOM_OUTPUT names its outputs as it runs.
 */
function fillableNames({spec}: Wpk): string[] | undefined {
  const writesOutputs = spec.handlers.some(({config}) => String(config['command']).includes('ATOM_OUTPUT'))
  if (!spec.parameters || writesOutputs) return undefined
  const outputs = spec.handlers.flatMap(({outputs: named = {}}) => Object.keys(named).map((name) => name.toLowerCase()))
  return [...spec.parameters.map(({name}) => name), ...outputs]
}

function handlerFindings({handler, path}: PlacedHandler, fillable: readonly string[] | undefined): Finding[] {
  const placeholders = placeholdersIn(handler.config, `${path}.config`)
  if (handler.type === 'shell') return placeholders.flatMap((placeholder) => shellFindings(placeholder, path))
  return placeholders.flatMap((placeholder) => placeholderFindings(placeholder, fillable))
}

/** The shell itself expands its text and has variables of its own, but it cannot spell a dot. */
function shellFindings({name, path}: Placeholder, handler: string): Finding[] {
  if (path !== `${handler}.config.command` || !name.startsWith('params.')) return []
  const message = `A shell cannot expand \${${name}}: parameters are environment variables there`
  return [finding('warning', 'placeholder_in_shell', path, message, `write \${${name.slice(7).toUpperCase()}}`)]
}

function placeholderFindings({name, path}: Placeholder, fillable: readonly string[] | undefined): Finding[] {
  const parameter = parameterNameOf(name)
  if (parameter === undefined) {
    const message = `\${${name.slice(0, 60)}} is no placeholder: write \${NAME} or \${params.name}`
    return [finding('warning', 'placeholder_invalid', path, message)]
  }
  if (!fillable || fillable.includes(parameter)) return []
  const severity = name.startsWith('params.') ? 'error' : 'warning'
  const message = `Nothing fills \${${name}}: the package declares no parameter ${parameter}`
  return [finding(severity, 'placeholder_unfilled', path, message, meant(suggestName(parameter, fillable)))]
}
