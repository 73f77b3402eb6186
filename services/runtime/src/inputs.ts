import type {JsonObject} from '@atomctl/protocol/values'
import {checkParameters, declarationsOf} from '@atomctl/wpk/parameters'
import {invalid} from './refusal.ts'

/** Parameters as an execution stores them: checked and with defaults; a value for a secret is refused. Throws 422. */
export function readParameters(value: JsonObject, given: JsonObject): JsonObject {
  const declarations = declarationsOf(value)
  const findings = checkParameters(declarations, given).filter(({severity}) => severity === 'error')
  if (findings.length > 0) throw invalid('PARAMETER_INVALID', findings, ['parameters'])
  const defaults = (declarations ?? []).flatMap((declaration) =>
    declaration.default === undefined ? [] : [[declaration.name, declaration.default] as const],
  )
  return {...Object.fromEntries(defaults), ...given}
}
