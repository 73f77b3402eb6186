import * as z from 'zod'

import {apiConfig, dockerConfig, HANDLER_TYPES, K8S_ACTIONS, k8sConfig, shellConfig} from './configurations.ts'
import {packageSchema} from './schema.ts'

/** A JSON Schema as far as we write it. */
export interface JsonSchema {
  [keyword: string]: unknown
  type?: string | string[]
  description?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  definitions?: Record<string, JsonSchema>
}

/** Where the schema is published; `init` writes it into new packages for editors. */
export const SCHEMA_ID = 'https://atomctl.dev/schemas/wpk-v1.json'

let generated: JsonSchema | undefined

/** The draft-07 JSON Schema for editors, from the same zod schema that checks. The object is the caller's own. */
export function jsonSchema(): JsonSchema {
  generated ??= generate()
  return structuredClone(generated)
}

function generate(): JsonSchema {
  const {$schema, ...root} = convertSchema(packageSchema())
  return {
    $schema,
    $id: SCHEMA_ID,
    title: 'Workflow package (WPK) v1',
    ...root,
    definitions: configurationDefinitions(),
  }
}

/** What draft-07 has for one of our zod schemas, closed where it is. */
export function convertSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({jsonSchema: node}) => refine(node as JsonSchema),
  }) as JsonSchema
}

/** Turns our marks into what draft-07 has for them. */
function refine(node: JsonSchema): void {
  const {closed, handler} = node
  delete node['closed']
  delete node['handler']
  if (closed === true) {
    node['patternProperties'] = {'^x-': {}}
    node['additionalProperties'] = false
  }
  if (handler === true) node['allOf'] = HANDLER_TYPES.map(configurationRule)
}

function configurationRule(type: string): JsonSchema {
  const config = type === 'k8s' ? k8sRule() : {$ref: `#/definitions/${type}`}
  return conditional('type', type, {properties: {config}})
}

/** draft-07's if/then on the value of one key. */
function conditional(key: string, value: string, outcome: JsonSchema): JsonSchema {
  // oxlint-disable-next-line unicorn/no-thenable -- the keyword of the standard; nothing awaits a schema
  return {if: {properties: {[key]: {const: value}}, required: [key]}, then: outcome}
}

function k8sRule(): JsonSchema {
  return {
    type: 'object',
    required: ['action'],
    properties: {action: {enum: [...K8S_ACTIONS]}},
    allOf: K8S_ACTIONS.map((action) => conditional('action', action, {$ref: `#/definitions/k8s-${action}`})),
  }
}

function configurationDefinitions(): Record<string, JsonSchema> {
  const schemas: [string, z.ZodType][] = [
    ['shell', shellConfig()],
    ['api', apiConfig()],
    ['docker', dockerConfig()],
    ...K8S_ACTIONS.map((action): [string, z.ZodType] => [`k8s-${action}`, k8sConfig(action)]),
  ]
  return Object.fromEntries(schemas.map(([name, schema]) => [name, definition(schema)]))
}

function definition(schema: z.ZodType): JsonSchema {
  const {$schema: _, ...node} = convertSchema(schema)
  return node
}
