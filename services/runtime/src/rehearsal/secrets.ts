import type {Json} from '@atomctl/protocol/values'
import {isObject} from '../program.ts'
import {SecretError} from '../secrets/errors.ts'
import type {SecretSource} from '../secrets/execution.ts'
import {usable} from '../secrets/value.ts'

/** The values that a test makes up, where a runtime would ask Vault or its environment; the same rules hold for them. */
export function madeUpSecrets(values: Readonly<Record<string, string>>): SecretSource {
  return {
    refuse: () => undefined,
    read: (needs) => Promise.resolve(Object.fromEntries(needs.map(({name}) => [name, valueOf(name, values)]))),
  }
}

function valueOf(name: string, values: Readonly<Record<string, string>>): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (value !== undefined) return usable(value, `secret ${name}: the made-up value`)
  throw new SecretError('SECRET_NOT_FOUND', `secret ${name}: the test makes up no value for it`)
}

/** A copy in which every text, keys included, went through `redact`. */
export function redactTexts(value: Json, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, redact))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), redactTexts(item, redact)]))
}
