import {realpathSync} from 'node:fs'
import {isAbsolute, join, relative, resolve, sep} from 'node:path'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {CONTAINER_PATHS, parseQuantity, readMount, reachesEngine, type Mount} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import {expandPlaceholders} from '@atomctl/wpk/parameters'
import {fillWords} from '../handlers/command-words.ts'
import {valueVariables} from '../handlers/environment.ts'
import {textOf} from '../handlers/handler.ts'
import {isObject, type HandlerSpec} from '../program.ts'

/** Marks containers as ours, says whose they are, and after when nobody wants them any more (seconds since 1970). */
export const LABELS = {
  step: 'io.atomctl.step',
  execution: 'io.atomctl.execution',
  expires: 'io.atomctl.expires',
} as const

/** Where the container writes its outputs; one file, so that it can put nothing else in its place. */
export const OUTPUT_FILE = `${CONTAINER_PATHS.own}/output`

export interface Placement {
  readonly executionId: string
  readonly idempotencyKey: string
  readonly timeoutMs: number
  /** On this machine: the package's files, and the file for outputs. */
  readonly directory: string
  readonly outputFile: string
  /** The engine's own socket, which no mount may reach. */
  readonly sockets: readonly string[]
  /** Values of secrets, which go into environment variables and nowhere else. */
  readonly secrets?: {readonly values: Readonly<Record<string, string>>}
}

/** The same for every attempt at a step: an engine has a name once only, so two attempts never run beside each other. */
export function containerName(idempotencyKey: string): string {
  return `atomctl-${idempotencyKey.replaceAll(/[^a-zA-Z0-9_.-]/g, '-')}`
}

/** The body of `POST /containers/create`. Throws PARAMETER_INVALID. */
export function describeContainer(spec: HandlerSpec, image: string, values: JsonObject, placement: Placement): object {
  const {executionId, idempotencyKey, timeoutMs, directory, outputFile, secrets} = placement
  const {config} = spec
  const own = {
    ATOM_EXECUTION_ID: executionId,
    ATOM_IDEMPOTENCY_KEY: idempotencyKey,
    ATOM_OUTPUT: OUTPUT_FILE,
    ATOM_PACKAGE: CONTAINER_PATHS.package,
  }
  const open = {...values, ...secrets?.values}
  const environment = {...valueVariables(open), ...configuredVariables(spec, open), ...own}
  const mounts = mountsOf(spec).map((mount) => bind({...mount, source: sourceOf(mount, placement)}))
  return {
    Image: image,
    ...commandOf(config['command'], values),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(typeof config['user'] === 'string' ? {User: config['user']} : {}),
    ...(typeof config['workdir'] === 'string' ? {WorkingDir: config['workdir']} : {}),
    Labels: {
      [LABELS.step]: idempotencyKey,
      [LABELS.execution]: executionId,
      [LABELS.expires]: String(Math.ceil((Date.now() + timeoutMs) / 1000)),
    },
    HostConfig: {
      NetworkMode: networkOf(spec),
      Mounts: [
        bind({source: directory, target: CONTAINER_PATHS.package, readOnly: true}),
        bind({source: outputFile, target: OUTPUT_FILE, readOnly: false}),
        ...mounts,
      ],
      // Nothing in the container becomes more than it was started as.
      SecurityOpt: ['no-new-privileges'],
      ...limitsOf(spec),
    },
  }
}

/** The image's own entry point takes a list, as `docker run IMAGE WORDS` does; a text is the shell's. */
function commandOf(command: Json | undefined, values: JsonObject): object {
  if (typeof command === 'string') return {Entrypoint: ['/bin/sh', '-c'], Cmd: [command]}
  return Array.isArray(command) ? {Cmd: fillWords(command.map(String), values)} : {}
}

/** For people; what has no value yet stays as it is written. */
export function previewCommand(command: Json | undefined, values: JsonObject): string {
  if (typeof command === 'string') return `with /bin/sh: ${command.trimEnd()}`
  if (!Array.isArray(command)) return "with the image's own command"
  const words = command.map(String)
  try {
    return `with the words ${JSON.stringify(fillWords(words, values))}`
  } catch {
    return `with the words ${JSON.stringify(words)}, UNKNOWN: not all of them have values yet`
  }
}

function configuredVariables(spec: HandlerSpec, values: JsonObject): Record<string, string> {
  const configured = isObject(spec.config['env']) ? spec.config['env'] : {}
  const entries = Object.entries(configured)
  return Object.fromEntries(entries.map(([name, text]) => [name, expandPlaceholders(textOf(text), values)]))
}

export function networkOf({config}: HandlerSpec): string {
  return typeof config['network'] === 'string' ? config['network'] : 'none'
}

export function mountsOf({config}: HandlerSpec): Mount[] {
  const mounts = Array.isArray(config['mounts']) ? config['mounts'] : []
  return mounts.flatMap((value) => readMount(value) ?? [])
}

export function limitsOf({config}: HandlerSpec): {Memory?: number; NanoCpus?: number} {
  const {cpu, memory} = isObject(config['limits']) ? config['limits'] : {}
  const amountOf = (value: Json | undefined): number | undefined =>
    typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined
  const [cpus, bytes] = [amountOf(cpu), amountOf(memory)]
  return {
    ...(bytes === undefined ? {} : {Memory: Math.ceil(bytes)}),
    ...(cpus === undefined ? {} : {NanoCpus: Math.ceil(cpus * 1e9)}),
  }
}

/**
 * A folder of the package, wherever its links lead, never leaves the package; a path of the host, which the security
 * policy has judged as it is written, never leads to the engine.
 */
function sourceOf({source}: Mount, {directory, sockets}: Placement): string {
  const refuse = (why: string): never => {
    throw new AtomError('PARAMETER_INVALID', `mount ${source}: ${why}`)
  }
  const real = realPath(resolve(directory, source))
  if (real === undefined) return refuse('there is no such file or folder')
  if (isAbsolute(source)) {
    if (reachesEngine(real, sockets)) return refuse("leads to a container engine's socket, which owns the host")
    return real === resolve(source) ? real : refuse(`is a link to ${real}, which the policy did not judge`)
  }
  const inside = relative(realPath(directory) ?? directory, real)
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return refuse('leads out of the package')
  return join(directory, inside)
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function bind({source, target, readOnly}: Mount): object {
  return {Type: 'bind', Source: source, Target: target, ReadOnly: readOnly}
}
