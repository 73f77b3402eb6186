import {checkDeclarations} from '../../parameters/check.ts'
import {parameterNameOf, placeholdersIn} from '../../parameters/placeholders.ts'
import type {Placeholder} from '../../parameters/placeholders.ts'
import type {Finding} from '../finding.ts'
import {suggestName} from '../suggestion.ts'
import {finding, meant, placedHandlers} from './rule.ts'
import type {PlacedHandler, SemanticRule} from './rule.ts'

export const checkParameterDeclarations: SemanticRule = ({spec}) =>
  spec.parameters ? checkDeclarations(spec.parameters, 'spec.parameters') : []

/** Only a declared list says what nothing can fill; without one, any parameter may be given. */
export const checkPlaceholders: SemanticRule = (wpk) => {
  const declared = wpk.spec.parameters?.map(({name}) => name)
  return placedHandlers(wpk).flatMap((placed) => handlerFindings(placed, declared))
}

function handlerFindings({handler, path}: PlacedHandler, declared: readonly string[] | undefined): Finding[] {
  const placeholders = placeholdersIn(handler.config, `${path}.config`)
  if (handler.type === 'shell') return placeholders.flatMap((placeholder) => shellFindings(placeholder, path))
  return placeholders.flatMap((placeholder) => placeholderFindings(placeholder, declared))
}

/** The shell itself expands its text and has variables of its own, but it cannot spell a dot. */
function shellFindings({name, path}: Placeholder, handler: string): Finding[] {
  if (path !== `${handler}.config.command` || !name.startsWith('params.')) return []
  const message = `A shell cannot expand \${${name}}: parameters are environment variables there`
  return [finding('warning', 'placeholder_in_shell', path, message, `write \${${name.slice(7).toUpperCase()}}`)]
}

function placeholderFindings({name, path}: Placeholder, declared: readonly string[] | undefined): Finding[] {
  const parameter = parameterNameOf(name)
  if (parameter === undefined) {
    const message = `\${${name.slice(0, 60)}} is no placeholder: write \${NAME} or \${params.name}`
    return [finding('warning', 'placeholder_invalid', path, message)]
  }
  if (!declared || declared.includes(parameter)) return []
  const severity = name.startsWith('params.') ? 'error' : 'warning'
  const message = `Nothing fills \${${name}}: the package declares no parameter ${parameter}`
  return [finding(severity, 'placeholder_unfilled', path, message, meant(suggestName(parameter, declared)))]
}
