import {chmod, mkdir, rm, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {Finding} from '@atomctl/wpk/document'
import {refuseContainer} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'
import {containerName, describeContainer} from '../docker/container.ts'
import {findEndpoint, type Endpoint} from '../docker/endpoint.ts'
import {ContainerEngine} from '../docker/engine.ts'
import {checkContainer} from '../docker/check.ts'
import {pullPolicy} from '../docker/image.ts'
import {planContainer} from '../docker/plan.ts'
import {fillImage} from '../docker/reference.ts'
import {runContainer} from '../docker/run.ts'
import type {HandlerSpec} from '../program.ts'
import {failure, valuesOf} from './handler.ts'
import type {Handler, HandlerResult, Plan, PlanContext, RunContext, Scope} from './handler.ts'
import {commandResult, readOutputFile} from './outputs.ts'

export interface DockerOptions {
  /** The runtime's own environment: DOCKER_HOST and XDG_RUNTIME_DIR say where the engine is. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Sockets that are tried without DOCKER_HOST; default Docker's. */
  readonly sockets?: readonly string[]
  readonly killGraceMs: number
}

/**
 * One container to its end, over the socket of Docker or of whatever speaks its API, such as Podman. Values reach it
 * as environment variables; the container is removed whatever happens.
 */
export class DockerHandler implements Handler {
  readonly type = 'docker'
  readonly #options: DockerOptions

  constructor(options: DockerOptions) {
    this.#options = options
  }

  check(spec: HandlerSpec): Finding[] {
    return checkContainer(spec)
  }

  refuse(spec: HandlerSpec): string | undefined {
    const endpoint = this.#endpoint()
    return refuseContainer(spec.config)?.message ?? ('problem' in endpoint ? endpoint.problem : undefined)
  }

  async plan(spec: HandlerSpec, scope: Scope, {signal}: PlanContext): Promise<Plan> {
    const refused = refuseContainer(spec.config)
    if (refused)
      return {outcome: 'unknown', lines: [`UNKNOWN: ${refused.message}; this runtime would refuse to run it`]}
    const endpoint = this.#endpoint()
    if ('problem' in endpoint) return planContainer(spec, scope, endpoint, signal)
    await using engine = new ContainerEngine(endpoint)
    return await planContainer(spec, scope, engine, signal)
  }

  async run(spec: HandlerSpec, context: RunContext): Promise<HandlerResult> {
    const endpoint = this.#endpoint()
    const refused = this.refuse(spec)
    if (refused !== undefined || 'problem' in endpoint) return failure(refused ?? 'refused')
    const image = imageOf(spec, context.scope)
    if ('problem' in image) return failure(image.problem)
    const {idempotencyKey, scope} = context
    const outputFile = await makeOutputFile(context.directory)
    const sockets = 'socketPath' in endpoint ? [endpoint.socketPath] : []
    const placement = {...context, executionId: scope.executionId, outputFile, sockets}
    await using engine = new ContainerEngine(endpoint)
    const end = await runContainer({
      engine,
      image: image.reference,
      name: containerName(idempotencyKey),
      body: (id) => describeContainer(spec, id, valuesOf(scope), placement),
      pull: pullPolicy(spec),
      graceMs: this.#options.killGraceMs,
      context,
    })
    return commandResult(spec, end, await readOutputFile(outputFile, context.secrets))
  }

  #endpoint(): Endpoint | {readonly problem: string} {
    const {environment, sockets} = this.#options
    return findEndpoint(environment, sockets)
  }
}

function imageOf(spec: HandlerSpec, scope: Scope): {reference: string} | {problem: string} {
  try {
    return {reference: fillImage(String(spec.config['image']), valuesOf(scope))}
  } catch (error) {
    return {problem: isAtomError(error) ? error.message : 'the image cannot be read'}
  }
}

/** Writable for whatever user the container has; nobody else reaches the execution's folder. */
async function makeOutputFile(directory: string): Promise<string> {
  const file = join(dirname(directory), 'output')
  await mkdir(dirname(file), {recursive: true})
  await rm(file, {force: true, recursive: true})
  await writeFile(file, '')
  await chmod(file, 0o666)
  return file
}
