import type {JsonObject} from '@atomctl/protocol/values'
import {checkParameters, declarationsOf} from '@atomctl/wpk/parameters'
import {invalid} from './refusal.ts'

/** Parameters as an execution stores them: checked, with defaults, without secrets. Throws 422. */
export function readParameters(value: JsonObject, given: JsonObject): JsonObject {
  const declarations = declarationsOf(value)
  const findings = checkParameters(declarations, given).filter(({severity}) => severity === 'error')
  if (findings.length > 0) throw invalid('PARAMETER_INVALID', findings, ['parameters'])
  const defaults = (declarations ?? []).flatMap((declaration) =>
    declaration.default === undefined ? [] : [[declaration.name, declaration.default] as const],
  )
  // A secret has no place in what is stored; real runs that declare one are refused before anything is.
  const secrets = new Set(declarations?.filter(({type}) => type === 'secret').map(({name}) => name))
  const open = Object.entries(given).filter(([name]) => !secrets.has(name))
  return Object.fromEntries([...defaults, ...open])
}
