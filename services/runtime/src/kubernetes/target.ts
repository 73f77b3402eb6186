import type {JsonObject} from '@atomctl/protocol/values'
import {AtomError} from '@atomctl/wpk/errors'
import {fillSelector, fillValue} from './values.ts'

/** What an action acts on, in kubectl's words. Every text is checked: none can be read as a flag. */
export interface Target {
  readonly type: string | undefined
  readonly name: string | undefined
  readonly selector: string | undefined
  readonly namespace: string | undefined
  readonly context: string | undefined
}

const TYPE = /^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*$/
/** What the API accepts as a path segment, a letter or digit first. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$/
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
// oxlint-disable-next-line no-control-regex
const PRINTABLE = /^[^-\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]{0,1023}$/

type Field = 'resource_type' | 'resource_name' | 'selector' | 'namespace' | 'context'

/**
 * Target keys from the config, else from the parameter of the same name. A name in the config is not widened by a
 * selector in the parameters, nor the other way round. Throws PARAMETER_INVALID for what cannot be a target.
 */
export function resolveTarget(config: JsonObject, values: JsonObject, parameters: JsonObject): Target {
  const {resource_name: ownName = config['name'], resource_type: ownType = config['resource']} = config
  const read = (field: Field, own = config[field], isOpen = true): string | undefined => {
    const written = own ?? (isOpen ? parameters[field] : undefined)
    if (written === undefined || written === null) return undefined
    if (typeof written !== 'string') throw invalid(field, JSON.stringify(written))
    if (own === undefined) return written
    return field === 'selector' ? fillSelector(written, values) : String(fillValue(written, values))
  }
  return {
    type: checked('resource_type', read('resource_type', ownType), TYPE),
    name: checked('resource_name', read('resource_name', ownName, config['selector'] === undefined), NAME),
    selector: checked('selector', read('selector', config['selector'], ownName === undefined), PRINTABLE),
    namespace: checked('namespace', read('namespace'), NAMESPACE),
    context: checked('context', read('context'), PRINTABLE),
  }
}

/** Flags that say where. `--flag=value` is one word, so that a value stays a value. */
export function placeFlags({context, namespace}: Target): string[] {
  return [
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
  ]
}

/** Throws PARAMETER_INVALID when nothing says the kind of object. */
export function typeOf({type}: Target): string {
  if (type !== undefined) return type
  throw undetermined('resource_type', 'kind of object')
}

/** `deployment/web`, or the type with a selector. Throws PARAMETER_INVALID when neither is known: there is no default. */
export function objectWords(target: Target, type = typeOf(target)): string[] {
  if (target.name !== undefined) return [`${type}/${target.name}`]
  if (target.selector !== undefined) return [type, `--selector=${target.selector}`]
  throw undetermined('resource_name', type)
}

/** One object, where a selector will not do. */
export function requireName(target: Target, type: string): string {
  if (target.name === undefined) throw undetermined('resource_name', type)
  return target.name
}

export function describeTarget(target: Target, type = target.type ?? 'objects'): string {
  const which = target.name ?? (target.selector === undefined ? '' : `with ${target.selector}`)
  return `${type} ${which}`.trim() + placeWords(target)
}

export function placeWords({namespace, context}: Target): string {
  const place = namespace === undefined ? "in the context's own namespace" : `in namespace ${namespace}`
  return ` ${place}${context === undefined ? '' : ` of context ${context}`}`
}

function checked(field: Field, value: string | undefined, form: RegExp): string | undefined {
  if (value === undefined || form.test(value)) return value
  throw invalid(field, JSON.stringify(value.slice(0, 80)))
}

function invalid(field: Field, value: string): AtomError {
  return new AtomError('PARAMETER_INVALID', `${field} cannot be ${value}`)
}

function undetermined(field: Field, what: string): AtomError {
  return new AtomError('PARAMETER_INVALID', `Nothing says which ${what} to act on`, {hint: `-p ${field}=NAME`})
}
