import type {JsonObject} from '../canonical.ts'
import type {Finding} from '../document/finding.ts'
import {mappingOf, placeItems, textOf} from './values.ts'

interface Suppression {
  /** The handler it stands in. */
  path: string
  rule: string
  reason: string
}

/** A finding is set aside only by the handler it is in, only by rule, and only with a reason; then it scores nothing. */
export function suppressFindings(findings: readonly Finding[], document: JsonObject): Finding[] {
  const suppressions = suppressionsOf(document)
  return findings.map((finding) => {
    const found = suppressions.find(({path, rule}) => rule === finding.rule && finding.path.startsWith(`${path}.`))
    return found ? {...finding, severity: 'info', points: 0, suppressed: found.reason} : finding
  })
}

function suppressionsOf(document: JsonObject): Suppression[] {
  const spec = mappingOf(document['spec'])
  const handlers = [
    ...placeItems(spec['handlers'], 'spec.handlers'),
    ...placeItems(mappingOf(spec['rollback'])['handlers'], 'spec.rollback.handlers'),
  ]
  return handlers.flatMap(({value, path}) =>
    placeItems(value['x-atom-ignore'], '').flatMap((entry) => {
      const rule = textOf(entry.value['rule'])
      const reason = textOf(entry.value['reason'])?.trim()
      return rule && reason ? [{path, rule, reason}] : []
    }),
  )
}
