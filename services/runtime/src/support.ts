import type {JsonObject} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import {placeholdersIn} from '@atomctl/wpk/parameters'
import {namesIn, parseCondition} from './expressions.ts'
import {isForShell} from './handlers/command-words.ts'
import {checkVariables} from './handlers/environment.ts'
import {finding, type Handler} from './handlers/handler.ts'
import {requestCondition} from './handlers/api-response.ts'
import {isObject, type HandlerSpec, type Program} from './program.ts'

/** Handlers of a program that this runtime cannot run, in the words of the answer; empty when it can run them all. */
export function unsupportedHandlers(program: Program, handlers: ReadonlyMap<string, Handler>): string[] {
  return allHandlers(program).flatMap((spec) => {
    const {name, type, config} = spec
    const handler = handlers.get(type)
    if (!handler) return [`handler "${name}" has type ${type}`]
    const reason = handler.refuse?.(spec)
    if (reason !== undefined) return [`handler "${name}": ${reason}`]
    return type === 'shell' && config['image'] !== undefined ? [`handler "${name}" runs in a container image`] : []
  })
}

/** What would fail for certain when the program ran: configurations, conditions, names that nothing can fill. */
export function checkProgram(
  program: Program,
  parameterNames: readonly string[],
  handlers: ReadonlyMap<string, Handler>,
): Finding[] {
  const findings: Finding[] = []
  const names = new Names(parameterNames)
  for (const [phase, specs] of [
    ['handlers', program.handlers] as const,
    ['rollback.handlers', program.rollback] as const,
  ])
    for (const [position, spec] of specs.entries()) {
      const own = handlers.get(spec.type)?.check(spec) ?? []
      const broken = [...own, ...(own.length === 0 ? checkNames(spec, names) : [])]
      findings.push(...broken.map((entry) => ({...entry, path: `spec.${phase}[${position}].${entry.path}`})))
      names.add(spec)
    }
  return findings
}

/** Whether a finding of `checkProgram` only says that a name has no value. */
export function isUnfilled(rule: string): boolean {
  return rule === PLACEHOLDER_UNFILLED || rule === CONDITION_UNFILLED
}

const PLACEHOLDER_UNFILLED = 'placeholder-unfilled'
const CONDITION_UNFILLED = 'condition-unfilled'

/** Why the parameters cannot be offered to the program's commands. */
export function checkEnvironment(program: Program, parameters: JsonObject): Finding[] {
  return allHandlers(program).some(writesOutputs) ? checkVariables(parameters) : []
}

function allHandlers(program: Program): HandlerSpec[] {
  return [...program.handlers, ...program.rollback]
}

/** Commands, which read parameters out of their environment and write outputs to a file. */
export function writesOutputs({type}: HandlerSpec): boolean {
  return type === 'shell' || type === 'docker'
}

/** Names that have a value at a point of the program. A command that declares no outputs may write any. */
class Names {
  readonly #known: Set<string>
  #isOpen = false

  constructor(parameterNames: readonly string[]) {
    this.#known = new Set(parameterNames.map(normalize))
  }

  has(name: string): boolean {
    return this.#isOpen || this.#known.has(normalize(name))
  }

  add(spec: HandlerSpec): void {
    if (isObject(spec.outputs)) for (const name of Object.keys(spec.outputs)) this.#known.add(normalize(name))
    else if (writesOutputs(spec)) this.#isOpen = true
  }
}

function normalize(name: string): string {
  return name.replace(/^(params|outputs)\./, '').toLowerCase()
}

function checkNames(spec: HandlerSpec, names: Names): Finding[] {
  const {config} = spec
  const missing = expandedFields(spec).flatMap((field) =>
    placeholdersIn(config[field] ?? null)
      .filter(({name}) => !names.has(name))
      .map(({name}) => finding(PLACEHOLDER_UNFILLED, `config.${field}`, `Nothing gives a value to \${${name}}`)),
  )
  const condition = spec.type === 'api' ? requestCondition(spec) : undefined
  return [
    ...missing,
    ...checkCondition('when', spec.when, names),
    ...checkCondition('config.condition', condition, names),
  ]
}

/** Fields of `config` in which placeholders are filled in before the handler acts. */
function expandedFields({type, config}: HandlerSpec): string[] {
  if (type === 'api') return ['url', 'headers', 'payload']
  if (type === 'docker') return ['image', 'env', ...(isForShell(config['command']) ? [] : ['command'])]
  if (type !== 'k8s') return ['env']
  // A command line is expanded by the shell in the container, which has variables of its own.
  return Object.keys(config).filter((field) => !(field === 'command' && isForShell(config[field])))
}

function checkCondition(path: string, text: string | undefined, names: Names): Finding[] {
  if (text === undefined) return []
  try {
    return namesIn(parseCondition(text))
      .filter((name) => !names.has(name))
      .map((name) => finding(CONDITION_UNFILLED, path, `Nothing gives a value to ${name} in "${text}"`))
  } catch (error) {
    return [finding('condition-form', path, error instanceof Error ? error.message : String(error))]
  }
}
