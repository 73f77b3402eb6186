import type * as z from 'zod'

import type {Json, JsonObject} from '../canonical.ts'
import {CONFIGURATIONS, k8sConfig, K8S_ACTIONS} from './configurations.ts'
import type {K8sAction} from './configurations.ts'
import type {Finding} from './finding.ts'
import {schemaFindings, valueAt} from './shape.ts'

/** The places where handlers stand. */
const HANDLER_LISTS = [
  ['spec', 'handlers'],
  ['spec', 'rollback', 'handlers'],
] as const

/** What each handler's `config` holds, against the schema of its type; unknown types are left open. */
export function checkConfigurations(value: Json): Finding[] {
  return HANDLER_LISTS.flatMap((list) => {
    const handlers = valueAt(value, list)
    if (!Array.isArray(handlers)) return []
    return handlers.flatMap((handler, index) => handlerFindings(handler, [...list, index]))
  })
}

function handlerFindings(handler: Json, base: readonly PropertyKey[]): Finding[] {
  const type = valueAt(handler, ['type'])
  const config = valueAt(handler, ['config'])
  if (typeof type !== 'string' || !isMapping(config)) return []
  const schema = configurationSchema(type, config)
  return schema ? schemaFindings(schema, config, [...base, 'config']) : []
}

function isMapping(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const cache = new Map<string, z.ZodType>()

/** The schema of a known type (and action); undefined leaves the rest to the semantic checks. */
function configurationSchema(type: string, config: JsonObject): z.ZodType | undefined {
  const action = type === 'k8s' ? config['action'] : undefined
  const key = typeof action === 'string' ? `k8s:${action}` : type
  const known = cache.get(key)
  if (known) return known
  const schema = buildConfiguration(type, action)
  if (schema) cache.set(key, schema)
  return schema
}

function buildConfiguration(type: string, action: Json | undefined): z.ZodType | undefined {
  if (type === 'k8s') return isAction(action) ? k8sConfig(action) : undefined
  return Object.hasOwn(CONFIGURATIONS, type) ? CONFIGURATIONS[type as keyof typeof CONFIGURATIONS]() : undefined
}

function isAction(action: Json | undefined): action is K8sAction {
  return typeof action === 'string' && (K8S_ACTIONS as string[]).includes(action)
}
