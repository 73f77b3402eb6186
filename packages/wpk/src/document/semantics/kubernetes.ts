import type {JsonObject} from '../../canonical.ts'
import {K8S_ACTIONS} from '../configurations.ts'
import type {Finding} from '../finding.ts'
import {refuseAction} from '../kubernetes.ts'
import {suggestName} from '../../suggestion.ts'
import {finding, meant, placedHandlers} from './rule.ts'
import type {PlacedHandler, SemanticRule} from './rule.ts'

/** Actions on one object: without a name or selector only a parameter can say which. */
const TARGETED = new Set([
  'logs',
  'restart',
  'scale',
  'wait',
  'rollback',
  'get',
  'patch',
  'annotate',
  'label',
  'delete',
  'exec',
])

/** Of each list at least one key must be there for the action to mean anything. */
const NEEDS: Record<string, readonly string[]> = {
  scale: ['replicas', 'scale_factor'],
  patch: ['data', 'patch'],
  annotate: ['annotation', 'annotations'],
  label: ['label', 'labels'],
  create: ['manifest', 'template'],
  apply: ['manifest', 'file'],
  job: ['manifest', 'image'],
}

export const checkKubernetes: SemanticRule = (wpk) => {
  const declared = new Set((wpk.spec.parameters ?? []).map(({name}) => name))
  return placedHandlers(wpk)
    .filter(({handler}) => handler.type === 'k8s')
    .flatMap((placed) => [...actionFindings(placed), ...targetFindings(placed, declared)])
}

function actionFindings({handler: {config}, path}: PlacedHandler): Finding[] {
  const action = config['action']
  if (typeof action !== 'string') {
    return [
      finding(
        'error',
        'k8s_action_missing',
        `${path}.config`,
        `${path}.config.action must name one of: ${K8S_ACTIONS.join(', ')}`,
      ),
    ]
  }
  if (!(K8S_ACTIONS as string[]).includes(action)) return [unknownAction(action, path)]
  const needs = NEEDS[action]
  if (needs && !needs.some((key) => config[key] !== undefined)) return [incomplete(action, needs, path)]
  return adviceFindings(action, config, path)
}

function unknownAction(action: string, path: string): Finding {
  const message = `Unknown k8s action: ${action} (known: ${K8S_ACTIONS.join(', ')})`
  return finding(
    'error',
    'k8s_action_unknown',
    `${path}.config.action`,
    message,
    meant(suggestName(action, K8S_ACTIONS)),
  )
}

function incomplete(action: string, needs: readonly string[], path: string): Finding {
  return finding('error', 'k8s_action_incomplete', `${path}.config`, `The action ${action} needs ${needs.join(' or ')}`)
}

function adviceFindings(action: string, config: JsonObject, path: string): Finding[] {
  const refused = refuseAction(config)
  if (refused) {
    const message = `A runtime refuses this: ${refused.message}`
    return [finding('warning', 'k8s_action_unsupported', `${path}.config.${refused.key}`, message)]
  }
  if (action === 'scale' && config['scale_factor'] !== undefined && config['max_replicas'] === undefined) {
    const message = 'scale_factor without max_replicas can grow without bound'
    return [finding('warning', 'k8s_scale_unbounded', `${path}.config.scale_factor`, message)]
  }
  return []
}

function targetFindings({handler: {config}, path}: PlacedHandler, declared: ReadonlySet<string>): Finding[] {
  const action = config['action']
  if (typeof action !== 'string' || !TARGETED.has(action) || hasTarget(config, declared)) return []
  const message = `The action ${action} does not say which ${kindOf(config)}: runs must pass resource_name`
  return [finding('warning', 'k8s_target_undetermined', `${path}.config`, message, 'add resource_name or selector')]
}

function hasTarget(config: Record<string, unknown>, declared: ReadonlySet<string>): boolean {
  const keys = ['resource_name', 'name', 'selector']
  return keys.some((key) => config[key] !== undefined) || declared.has('resource_name') || declared.has('selector')
}

function kindOf(config: Record<string, unknown>): string {
  return typeof config['resource_type'] === 'string' ? config['resource_type'] : 'resource'
}
