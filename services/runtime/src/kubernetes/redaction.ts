import type {Json, JsonObject} from '@atomctl/protocol/values'
import {kindOf} from '@atomctl/wpk/document'
import {isObject} from '../program.ts'
import type {Target} from './target.ts'

export const MASK = '***'
/** Shorter texts stand in too many other words to be taken out of them. */
const SHORTEST = 3

/** Takes the values of Kubernetes Secrets out of everything that people read and the database keeps. */
export class Redactor {
  readonly #texts: string[] = []

  /** Every text below `value`, as it is and decoded. */
  hide(value: Json | undefined): void {
    for (const leaf of leavesOf(value)) {
      const forms = [leaf, Buffer.from(leaf, 'base64').toString('utf8'), Buffer.from(leaf).toString('base64')]
      const readable = forms.filter((form) => !form.includes('\u{FFFD}'))
      const parts = readable.flatMap((form) => [form, JSON.stringify(form).slice(1, -1), ...form.split('\n')])
      this.#texts.push(...parts.map((part) => part.trim()).filter((part) => part.length >= SHORTEST))
    }
    this.#texts.sort((a, b) => b.length - a.length)
  }

  readonly redact = (text: string): string => {
    let redacted = text
    for (const secret of this.#texts) redacted = redacted.replaceAll(secret, MASK)
    return redacted
  }
}

export function isSecretType(type: string | undefined): boolean {
  return type !== undefined && kindOf(type) === 'secret'
}

/** The secret parts of what a handler sends: the data of Secrets in a patch or in manifests. */
export function secretsIn(config: JsonObject, patch: Json | undefined, target: Target): Json[] {
  const patched = isSecretType(target.type) ? patchedData(patch) : []
  return [...patched, ...[config['manifest'], config['template']].flatMap(secretData)]
}

function patchedData(patch: Json | undefined): Json[] {
  if (isObject(patch)) return [patch['data'] ?? null, patch['stringData'] ?? null]
  const operations = Array.isArray(patch) ? patch.filter(isObject) : []
  return operations
    .filter(({path}) => typeof path === 'string' && /^\/(data|stringData)(\/|$)/.test(path))
    .map(({value}) => value ?? null)
}

function secretData(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value.flatMap(secretData)
  if (!isObject(value)) return []
  if (Array.isArray(value['items'])) return value['items'].flatMap(secretData)
  return value['kind'] === 'Secret' ? [value['data'] ?? null, value['stringData'] ?? null] : []
}

/** A copy of an object, or list of objects, in which Secrets keep their keys and lose their values. */
export function maskSecrets(value: Json): Json {
  if (!isObject(value)) return value
  if (Array.isArray(value['items'])) return {...value, items: value['items'].map(maskSecrets)}
  if (value['kind'] !== 'Secret') return value
  const masked = Object.fromEntries(
    ['data', 'stringData'].flatMap((key) => {
      const data = value[key]
      return isObject(data) ? [[key, Object.fromEntries(Object.keys(data).map((name) => [name, MASK]))]] : []
    }),
  )
  return {...value, ...masked}
}

function leavesOf(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(leavesOf)
  return isObject(value) ? Object.values(value).flatMap(leavesOf) : []
}
