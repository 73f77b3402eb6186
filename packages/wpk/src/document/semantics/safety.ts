import {LINT_RULES} from '../../lint/catalogue.ts'
import type {Finding} from '../finding.ts'
import {suggestName} from '../../suggestion.ts'
import {finding, meant, placedHandlers} from './rule.ts'
import type {SemanticRule} from './rule.ts'

/** What the document says about undoing must agree with what it can undo. */
export const checkRollback: SemanticRule = ({spec: {safety, rollback}}) => {
  const findings: Finding[] = []
  const enabled = rollback?.enabled === true
  const handlers = rollback?.handlers?.length ?? 0
  if (enabled && handlers === 0) {
    findings.push(finding('error', 'rollback_empty', 'spec.rollback', 'spec.rollback is enabled but has no handlers'))
  }
  if (!enabled && handlers > 0) {
    findings.push(
      finding('warning', 'rollback_disabled', 'spec.rollback', 'The rollback handlers never run: enabled is not true'),
    )
  }
  if (safety.rollback_enabled !== undefined && safety.rollback_enabled !== enabled) {
    const message = `safety.rollback_enabled is ${safety.rollback_enabled} but rollback.enabled is ${enabled}`
    findings.push(finding('warning', 'rollback_contradiction', 'spec.safety.rollback_enabled', message))
  }
  return findings
}

export const checkUndoes: SemanticRule = ({spec}) => {
  const names = spec.handlers.map(({name}) => name)
  return (spec.rollback?.handlers ?? []).flatMap(({undoes}, index) => {
    if (undoes === undefined || names.includes(undoes)) return []
    const path = `spec.rollback.handlers[${index}].undoes`
    return [
      finding('error', 'undoes_unknown', path, `No handler is named ${undoes}`, meant(suggestName(undoes, names))),
    ]
  })
}

export const checkSafety: SemanticRule = ({spec: {safety}}) => {
  if (safety.mode !== 'auto' || safety.approval_required !== true) return []
  const message = 'Mode auto starts by itself, yet approval_required makes every run wait for a person'
  return [finding('warning', 'safety_contradiction', 'spec.safety.approval_required', message)]
}

/** A finding is set aside by the name of its rule, so a name that no rule has sets nothing aside. */
export const checkSuppressions: SemanticRule = (wpk) => {
  const known = Object.keys(LINT_RULES)
  return placedHandlers(wpk).flatMap(({handler, path}) =>
    (handler['x-atom-ignore'] ?? []).flatMap(({rule}, index) => {
      if (known.includes(rule)) return []
      const place = `${path}.x-atom-ignore[${index}].rule`
      return [
        finding(
          'warning',
          'ignore_unknown',
          place,
          `No security rule is named ${rule}`,
          meant(suggestName(rule, known)),
        ),
      ]
    }),
  )
}
