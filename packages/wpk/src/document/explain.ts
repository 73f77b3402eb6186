import {HANDLER_TYPES, K8S_ACTIONS} from './configurations.ts'
import {jsonSchema} from './json-schema.ts'
import type {JsonSchema} from './json-schema.ts'

/** What `atomctl explain` says about one place of the format. */
export interface FieldDoc {
  /** `wpk.spec.handlers.k8s` */
  path: string
  /** `string`, `list of mappings`, `one of manual, auto` … */
  type: string
  description: string
  required: boolean
  examples: string[]
  /** The fields of a mapping, or of the mappings in a list. */
  fields: {name: string; type: string; required: boolean; description: string}[]
  /** Further words that continue the path, such as handler types and k8s actions. */
  topics: string[]
}

interface Place {
  schema: JsonSchema
  required: boolean
  topics: readonly string[]
}

/** Documentation of `wpk.spec.handlers.k8s.scale` and the like, from the schema; undefined for what is not in it. */
export function explainField(path: string): FieldDoc | undefined {
  return explainIn({root: jsonSchema(), name: 'wpk'}, path)
}

/** The same for the schema of another format; `name` is the word that its paths begin with. */
export function explainIn({root, name}: {root: JsonSchema; name: string}, path: string): FieldDoc | undefined {
  const segments = path
    .replace(/\[\d*\]/g, '')
    .split('.')
    .filter(Boolean)
  if (segments[0] === name) segments.shift()
  let place: Place | undefined = {schema: root, required: true, topics: []}
  for (const segment of segments) place = place && step(place, segment, root)
  return place && describePlace([name, ...segments].join('.'), place)
}

function step(place: Place, segment: string, root: JsonSchema): Place | undefined {
  if (place.topics.includes(segment)) return topicPlace(segment, root)
  const mapping = mappingOf(place.schema)
  const schema = Object.hasOwn(mapping.properties ?? {}, segment) ? mapping.properties![segment] : undefined
  if (!schema) return undefined
  const required = mapping.required?.includes(segment) ?? false
  return {schema, required, topics: segment === 'handlers' ? HANDLER_TYPES : []}
}

/** A handler type stands for its `config`, a k8s action for the `config` with that action. */
function topicPlace(topic: string, root: JsonSchema): Place {
  const definitions = root.definitions!
  if (topic !== 'k8s') return {schema: definitions[topic] ?? definitions[`k8s-${topic}`]!, required: true, topics: []}
  const {properties = {}} = definitions['k8s-wait']!
  const own = new Set(['condition', 'timeout', 'replicas', 'image', 'privileged', 'read_only'])
  const common = Object.fromEntries(Object.entries(properties).filter(([name]) => !own.has(name)))
  const action = {description: 'What to do; each action has keys of its own', enum: [...K8S_ACTIONS]}
  const schema: JsonSchema = {
    type: 'object',
    description: DESCRIPTION,
    properties: {...common, action},
    required: ['action'],
  }
  return {schema, required: true, topics: K8S_ACTIONS}
}

const DESCRIPTION = 'config of a k8s handler: kubectl semantics on the chosen target'

function describePlace(path: string, {schema, required, topics}: Place): FieldDoc {
  const {properties = {}, required: needed = []} = mappingOf(schema)
  return {
    path,
    type: typeName(schema),
    description: schema.description ?? '',
    required,
    examples: ((schema['examples'] as unknown[] | undefined) ?? []).map(String),
    fields: Object.entries(properties).map(([name, field]) => ({
      name,
      type: typeName(field),
      required: needed.includes(name),
      description: field.description ?? '',
    })),
    topics: [...topics],
  }
}

/** The mapping a list is made of, the first that a choice offers, the value of open keys, or the schema itself. */
function mappingOf(schema: JsonSchema): JsonSchema {
  if (schema.items) return mappingOf(schema.items)
  if (schema.properties) return schema
  const options = ((schema['anyOf'] ?? []) as JsonSchema[]).map(mappingOf)
  const open = schema['additionalProperties']
  const within = typeof open === 'object' && open !== null ? mappingOf(open as JsonSchema) : undefined
  return [...options, ...(within ? [within] : [])].find(({properties}) => properties) ?? schema
}

function typeName(schema: JsonSchema): string {
  const options = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined
  if (options) return [...new Set(options.map(typeName))].join(' or ')
  if (Array.isArray(schema['enum'])) return `one of ${schema['enum'].join(', ')}`
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  if (schema.items) return `list of ${typeName(schema.items)}`
  return TYPE_NAMES[String(schema.type)] ?? 'any value'
}

const TYPE_NAMES: Record<string, string> = {
  object: 'mapping',
  array: 'list',
  string: 'string',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
}
