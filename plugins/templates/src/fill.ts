import {AtomError} from '@atomctl/sdk/errors'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import type {Template} from './template.ts'

/** What a new package takes instead of the template's own. */
export interface Filling {
  readonly name: string
  readonly author: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** `key=value` texts: author, description, version, or a declared parameter, whose default it becomes. */
  readonly values: ReadonlyMap<string, string>
}

/** Keys of `-p` that stand for a field of `metadata`; a parameter of that name is written `params.KEY`. */
export const METADATA_KEYS = ['author', 'description', 'version'] as const
const SCHEMA_LINE = /^# yaml-language-server: \$schema=/

/**
 * The text of a new package: the template's own, with single values replaced and everything else, comments included,
 * as it was. Values are written as quoted YAML, never spliced into text.
 * @throws PARAMETER_INVALID for a key the template does not have or a value it does not accept, WPK_INVALID
 */
export async function fillTemplate({document}: Template, filling: Filling): Promise<string> {
  const {SCHEMA_ID, setScalar} = await import('@atomctl/wpk/document')
  const metadata = new Map<string, string>([
    ['name', filling.name],
    ['version', '1.0.0'],
    ['author', filling.author],
    ['created', filling.created],
    // whoever signed the template did not sign this
    ...(document.wpk.metadata.signature === undefined ? [] : [['signature', ''] as const]),
    ...METADATA_KEYS.flatMap((key) => entryOf(key, filling.values)),
  ])
  let {text} = document
  for (const [key, value] of metadata) text = setScalar(text, ['metadata', key], value)
  text = await fillParameters(text, document.value, filling.values)
  return SCHEMA_LINE.test(text) ? text : `# yaml-language-server: $schema=${SCHEMA_ID}\n${text}`
}

function entryOf(key: string, values: ReadonlyMap<string, string>): [string, string][] {
  const value = values.get(key)
  return value === undefined ? [] : [[key, value]]
}

async function fillParameters(text: string, value: JsonObject, values: ReadonlyMap<string, string>): Promise<string> {
  const [{declarationsOf, resolveParameters}, {setValue}] = await Promise.all([
    import('@atomctl/wpk/parameters'),
    import('@atomctl/wpk/document'),
  ])
  const declarations = declarationsOf(value) ?? []
  const given = parametersIn(values)
  const secret = declarations.find(({name, type}) => type === 'secret' && name in given)
  if (secret) throw secretGiven(secret.name)
  const fillable = declarations.filter(({type}) => type !== 'secret')
  const {values: resolved} = resolveParameters(fillable, [{origin: '-p', values: given}])
  let filled = text
  for (const [index, {name, required}] of declarations.entries()) {
    if (!(name in given)) continue
    const path = ['spec', 'parameters', String(index)]
    filled = setValue(filled, [...path, 'default'], resolved[name] as Json)
    if (required) filled = setValue(filled, [...path, 'required'], false)
  }
  return filled
}

function parametersIn(values: ReadonlyMap<string, string>): Record<string, {text: string}> {
  const isMetadata = (key: string): boolean => METADATA_KEYS.some((known) => known === key)
  const given = [...values].filter(([key]) => !isMetadata(key))
  return Object.fromEntries(given.map(([key, text]) => [key.replace(/^params\./, ''), {text}]))
}

function secretGiven(name: string): AtomError {
  return new AtomError('PARAMETER_INVALID', `${name} is a secret: it does not belong into a package`, {
    hint: 'leave it out; a run fetches it',
  })
}
