import type {JsonObject} from '@atomctl/protocol/values'
import {isAtomError} from '@atomctl/wpk/errors'
import {expandPlaceholders, placeholdersIn} from '@atomctl/wpk/parameters'
import {valueVariables} from '../handlers/environment.ts'
import {valuesOf, type Plan, type Scope} from '../handlers/handler.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {previewCommand, mountsOf, networkOf} from './container.ts'
import {EngineError, type ContainerEngine} from './engine.ts'
import {askRegistry, findImage, pullPolicy} from './image.ts'
import {fillImage} from './reference.ts'

type EngineOrNone = ContainerEngine | {readonly problem: string}

/** What would run, and which image exactly, as far as that can be found out without pulling it. */
export async function planContainer(
  spec: HandlerSpec,
  scope: Scope,
  engine: EngineOrNone,
  signal: AbortSignal,
): Promise<Plan> {
  const rest = describe(spec, scope)
  const image = await planReference(spec, scope, engine, signal)
  if (image.outcome === 'error') return {outcome: 'error', lines: [image.line]}
  const isOpen = rest.some((line) => line.includes(UNKNOWN))
  return {outcome: isOpen ? 'unknown' : image.outcome, lines: [image.line, ...rest]}
}

async function planReference(
  spec: HandlerSpec,
  scope: Scope,
  engine: EngineOrNone,
  signal: AbortSignal,
): Promise<ImagePlan> {
  try {
    const reference = fillImage(String(spec.config['image']), valuesOf(scope))
    return await planImage(spec, reference, engine, signal)
  } catch (error) {
    if (!isAtomError(error)) throw error
    return hasNoValue(error)
      ? {outcome: 'unknown', line: unknown(error.message)}
      : {outcome: 'error', line: error.message}
  }
}

interface ImagePlan {
  readonly outcome: Plan['outcome']
  readonly line: string
}

async function planImage(
  spec: HandlerSpec,
  reference: string,
  engine: EngineOrNone,
  signal: AbortSignal,
): Promise<ImagePlan> {
  const pinned = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1]
  const open = (why: string): ImagePlan => ({outcome: 'unknown', line: `would run ${reference}, ${unknown(why)}`})
  if ('problem' in engine) return open(engine.problem)
  const policy = pullPolicy(spec)
  try {
    const image = await findImage(engine, reference, signal)
    if (image && (policy !== 'always' || pinned !== undefined)) return ready(reference, image.digest)
    if (policy === 'never')
      return {outcome: 'error', line: `the container engine has no image ${reference}, and pull is never`}
    const digest = pinned ?? (await askRegistry(engine, reference, signal))
    if (digest !== undefined) return ready(reference, `${digest}, which would be pulled`)
    return open(image ? `what a pull would bring; here now is ${image.digest}` : 'which image a pull would bring')
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return open(error.message)
  }
}

function ready(reference: string, digest: string): ImagePlan {
  return {outcome: 'ready', line: `would run ${reference}: ${digest}`}
}

function describe(spec: HandlerSpec, scope: Scope): string[] {
  const {config} = spec
  const configured = isObject(config['env']) ? Object.keys(config['env']) : []
  const names = [...Object.keys(valueVariables(valuesOf(scope))), ...configured]
  const mounts = mountsOf(spec).map(
    ({source, target, readOnly}) => `${source} at ${target}${readOnly ? '' : ' (writable)'}`,
  )
  const limits = Object.entries(isObject(config['limits']) ? config['limits'] : {}).map(
    ([name, most]) => `${name} ${String(most)}`,
  )
  return [
    previewCommand(config['command'], valuesOf(scope)),
    `network ${networkOf(spec)}, limits: ${limits.join(', ') || 'none'}`,
    mounts.length > 0 ? `mounts: ${mounts.join(', ')}` : 'mounts nothing but the package, at /package',
    names.length > 0 ? `environment from parameters and config: ${names.join(', ')}` : 'no parameters in environment',
    ...openVariables(spec, scope),
  ]
}

/** Values of the environment are not shown; that one is missing is. */
function openVariables({config}: HandlerSpec, scope: Scope): string[] {
  const known = valuesOf(scope)
  const open = placeholdersIn(config['env'] ?? null).filter(({name}) => !hasValue(name, known))
  return open.map(({name, path}) => unknown(`nothing gives a value to \${${name}} in ${path} yet`))
}

function hasValue(name: string, values: JsonObject): boolean {
  try {
    expandPlaceholders(`\${${name}}`, values)
    return true
  } catch {
    return false
  }
}

const UNKNOWN = 'UNKNOWN: '

function unknown(why: string): string {
  return UNKNOWN + why
}

function hasNoValue(error: unknown): boolean {
  return (error as {details?: {placeholder?: unknown}}).details?.placeholder !== undefined
}
