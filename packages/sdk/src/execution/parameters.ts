import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import type {WpkDocument} from '@atomctl/wpk/document'
import type {ParameterDeclaration, ParameterLayer} from '@atomctl/wpk/parameters'
import type {AtomContext} from '../context.ts'
import {AtomError} from '../errors.ts'
import {readInput} from '../files/index.ts'

const LIMIT = 1 << 20

export interface ParameterFlags {
  param?: string[] | undefined
  parameters?: string | undefined
}

type Value = Json | {text: string}

/**
 * The parameters of a run, each from its strongest source (package format, Parameters): flags, --parameters,
 * environment, context, default, a question.
 * @throws PARAMETER_INVALID naming every missing, unknown or malformed one.
 */
export async function gatherParameters(
  document: WpkDocument,
  flags: ParameterFlags,
  context: AtomContext,
  interactive: boolean,
): Promise<JsonObject> {
  const {declarationsOf, resolveParameters} = await import('@atomctl/wpk/parameters')
  const declarations = declarationsOf(document.value)
  const given = flags.param ?? []
  const layers: ParameterLayer[] = [
    {origin: '-p', values: await readPairs(given.filter((one) => !isObjectText(one)))},
    // the Python CLI's -p took a whole JSON object
    ...given.filter(isObjectText).map((one) => ({origin: '-p', values: parseObject(one, '-p'), literal: true})),
    {origin: '--parameters', values: await readObject(flags.parameters), literal: true},
    {origin: 'environment', values: readEnvironment(declarations, context)},
    {origin: 'context', values: contextParameters(context, declarations), literal: true},
  ]
  const first = resolveParameters(declarations, layers)
  if (first.missing.length === 0) return first.values
  if (!interactive) throw missingParameters(first.missing)
  const answers = await askFor(first.missing)
  return resolveParameters(declarations, [...layers, {origin: 'prompt', values: answers}]).values
}

const isObjectText = (argument: string): boolean => argument.trimStart().startsWith('{')

async function readPairs(pairs: readonly string[]): Promise<Record<string, Value>> {
  return Object.fromEntries(await Promise.all(pairs.map(readPair)))
}

/** `key=value`, `key=@file`. */
async function readPair(pair: string): Promise<[string, Value]> {
  const at = pair.indexOf('=')
  if (at <= 0) {
    throw new AtomError('PARAMETER_INVALID', `-p ${JSON.stringify(pair)} is not key=value`, {
      hint: '-p namespace=staging',
    })
  }
  const text = pair.slice(at + 1)
  return [pair.slice(0, at), {text: text.startsWith('@') ? await readText(text.slice(1)) : text}]
}

async function readObject(argument: string | undefined): Promise<Record<string, Value>> {
  if (argument === undefined) return {}
  if (argument === '-') return parseObject(await readText('-'), '--parameters -')
  if (argument.startsWith('@')) return parseObject(await readText(argument.slice(1)), argument)
  return parseObject(argument, '--parameters')
}

function parseObject(text: string, origin: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AtomError('PARAMETER_INVALID', `Invalid parameters JSON in ${origin}`, {
      hint: `--parameters '{"namespace":"staging"}'`,
      cause,
    })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new AtomError('PARAMETER_INVALID', `Invalid parameters JSON in ${origin}: it must be an object`)
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readInput(path, LIMIT))
}

function readEnvironment(
  declarations: readonly ParameterDeclaration[] | undefined,
  context: AtomContext,
): Record<string, Value> {
  const prefix = 'ATOMCTL_PARAM_'
  const declared = declarations && new Set(declarations.map(({name}) => name))
  const found = Object.entries(context.environment)
    .filter(([name, text]) => name.startsWith(prefix) && text !== undefined)
    .map(([name, text]) => [name.slice(prefix.length).toLowerCase(), {text: text ?? ''}] as const)
    .filter(([name]) => name !== '' && (!declared || declared.has(name)))
  return Object.fromEntries(found)
}

// A context serves many packages, so what this one does not declare is not an error here.
function contextParameters(
  context: AtomContext,
  declarations: readonly ParameterDeclaration[] | undefined,
): Record<string, Value> {
  const all = (context.configuration.context()?.value.parameters ?? {}) as Record<string, Value>
  if (!declarations) return all
  return Object.fromEntries(Object.entries(all).filter(([name]) => declarations.some((one) => one.name === name)))
}

function missingParameters(missing: readonly ParameterDeclaration[]): AtomError {
  const names = missing.map(({name}) => name)
  return new AtomError('PARAMETER_INVALID', `missing parameters: ${names.join(', ')}`, {
    hint: names.map((name) => `-p ${name}=…`).join(' '),
    details: {missing: names},
  })
}

async function askFor(missing: readonly ParameterDeclaration[]): Promise<Record<string, Value>> {
  const {createInterface} = await import('node:readline/promises')
  const prompt = createInterface({input: process.stdin, output: process.stderr})
  try {
    const answers: Record<string, Value> = {}
    for (const {name, type, description} of missing) {
      const about = description ? ` — ${description}` : ''
      answers[name] = {text: await prompt.question(`${name} (${type}${about}): `)}
    }
    return answers
  } finally {
    prompt.close()
  }
}
