import {describeCronProblem} from '../cron.ts'
import type {Finding} from '../finding.ts'
import type {Wpk} from '../schema.ts'
import {finding} from './rule.ts'
import type {SemanticRule} from './rule.ts'

type Trigger = NonNullable<Wpk['spec']['triggers']>[number]

export const checkTriggers: SemanticRule = ({spec}) =>
  (spec.triggers ?? []).flatMap((trigger, index) => triggerFindings(trigger, `spec.triggers[${index}].config`))

function triggerFindings({type, config}: Trigger, path: string): Finding[] {
  if (type === 'schedule') return scheduleFindings(config.cron, path)
  const key = type === 'event' ? 'condition' : 'path'
  if (config[key] !== undefined) return []
  return [finding('warning', 'trigger_incomplete', path, `A trigger of type ${type} needs ${key} to ever fire`)]
}

function scheduleFindings(cron: string | undefined, path: string): Finding[] {
  if (cron === undefined) return [finding('error', 'cron_missing', path, 'A trigger of type schedule needs cron')]
  const problem = describeCronProblem(cron)
  return problem ? [finding('error', 'cron_invalid', `${path}.cron`, `${JSON.stringify(cron)}: ${problem}`)] : []
}

const ISO_8601 = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

export const checkMetadata: SemanticRule = ({metadata: {created}}) => {
  if (created === undefined || (ISO_8601.test(created) && !Number.isNaN(Date.parse(created)))) return []
  const message = `metadata.created is not an ISO 8601 time: ${JSON.stringify(created)}`
  return [finding('warning', 'created_invalid', 'metadata.created', message, 'write it like "2026-01-31T12:00:00Z"')]
}

export const checkPermissions: SemanticRule = ({spec}) =>
  (spec.validation?.required_permissions ?? []).flatMap((permission, index) => {
    if (/^[\w.*-]+\/[\w.*-]+$/.test(permission)) return []
    const path = `spec.validation.required_permissions[${index}]`
    return [
      finding('warning', 'permission_invalid', path, `${JSON.stringify(permission)} is not of the form resource/verb`),
    ]
  })

const ALERT_TARGETS: Record<string, 'webhook' | 'recipients'> = {slack: 'webhook', email: 'recipients'}

export const checkAlerts: SemanticRule = ({spec}) =>
  (spec.monitoring?.alerts ?? []).flatMap((alert, index) => {
    const path = `spec.monitoring.alerts[${index}]`
    const target = ALERT_TARGETS[alert.type]
    if (!target)
      return [
        finding('warning', 'alert_unknown', `${path}.type`, `Unknown alert type: ${alert.type} (known: slack, email)`),
      ]
    if (alert[target] !== undefined) return []
    return [finding('warning', 'alert_incomplete', path, `An alert of type ${alert.type} needs ${target}`)]
  })
