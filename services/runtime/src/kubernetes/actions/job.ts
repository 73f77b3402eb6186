import {parseDuration} from '@atomctl/wpk/document'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {ExecutionStopped} from '../../engine/engine.ts'
import {isObject} from '../../program.ts'
import {KubectlError, type Answer} from '../kubectl.ts'
import type {Action, Outcome, Session} from '../session.ts'
import {placeFlags} from '../target.ts'
import {parseJson, readText, valueAt} from '../values.ts'
import {create, manifestOf, marked, shortId, STEP} from './objects.ts'
import {commandFor} from './running.ts'

const CLEANUP_MS = 10_000

/** Runs a Job to its end. Its name is that of the step, so that a runtime that comes back finds it and waits on. */
export const job: Action = {
  plan: (session) => create.plan(asCreation(session)),
  async run(session) {
    const creation = asCreation(session)
    const name = String(valueAt(marked(creation)[0], 'metadata', 'name'))
    await clearFailed(session, name)
    await create.run(creation)
    try {
      return await follow(session, name)
    } catch (error) {
      if (error instanceof KubectlError && isOver(error, session.signal)) await stop(session, name)
      throw error
    }
  },
}

/** A further attempt runs the Job anew; after a crash it is this attempt's own Job, whose failure counts. */
async function clearFailed({kubectl, target, idempotencyKey, recovered}: Session, name: string): Promise<void> {
  if (recovered) return
  const place = placeFlags(target)
  const {stdout} = await kubectl.ask(['get', `job/${name}`, '--ignore-not-found', '--output=json', ...place])
  const found = parseJson(stdout)
  const conditions = valueAt(found, 'status', 'conditions')
  const hasFailed = Array.isArray(conditions) && conditions.some(isFailure)
  if (hasFailed && valueAt(found, 'metadata', 'annotations', STEP) === idempotencyKey)
    await kubectl.ask(['delete', `job/${name}`, '--ignore-not-found', ...place])
}

function isFailure(condition: Json): boolean {
  return valueAt(condition, 'type') === 'Failed' && valueAt(condition, 'status') === 'True'
}

/** A runtime that only shuts down leaves the Job to the next one. */
function isOver({reason}: KubectlError, signal: AbortSignal): boolean {
  const {reason: cause} = signal as {reason: unknown}
  if (reason === 'Stopped') return cause instanceof ExecutionStopped && cause.reason === 'cancelled'
  return reason === 'TimedOut'
}

async function stop(session: Session, name: string): Promise<void> {
  const kubectl = session.kubectl.with({signal: new AbortController().signal, deadline: performance.now() + CLEANUP_MS})
  const words = ['delete', `job/${name}`, '--ignore-not-found', '--wait=false', ...placeFlags(session.target)]
  await kubectl.ask(words).then(
    () => session.log('system', `job ${name} is deleted`),
    (error: unknown) => session.log('system', `job ${name} could not be deleted: ${String((error as Error).message)}`),
  )
}

async function follow(session: Session, name: string): Promise<Outcome> {
  const {kubectl, target} = session
  const ended = await ending(session, name)
  const words = ['logs', `job/${name}`, '--all-containers', '--tail=1000', ...placeFlags(target)]
  const logs = await kubectl.stream(words).catch((error: unknown): Answer => {
    session.log('system', `the logs of job ${name} cannot be read: ${String((error as Error).message)}`)
    return {stdout: '', output: '', exitCode: null}
  })
  if (ended === 'Failed') throw new KubectlError(`job ${name} failed`, 'Failed', null, logs.output)
  return {output: logs.output, document: () => logs.stdout}
}

/** kubectl waits for one condition; which of the two it will be, nobody knows before. */
async function ending(session: Session, name: string): Promise<'Complete' | 'Failed'> {
  const {config, timeoutMs, target} = session
  const limit = Math.min(parseDuration(readText(config, 'timeout') ?? '') ?? Infinity, timeoutMs)
  const over = new AbortController()
  const signal = AbortSignal.any([session.signal, over.signal])
  const kubectl = session.kubectl.with({signal, deadline: performance.now() + limit})
  const waitFor = async <T extends string>(condition: T): Promise<T> => {
    const words = ['wait', `job/${name}`, `--for=condition=${condition}`, '--timeout=-1s', ...placeFlags(target)]
    await kubectl.ask(words)
    return condition
  }
  const waits = [waitFor('Complete'), waitFor('Failed')] as const
  try {
    return await Promise.any(waits)
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error
  } finally {
    over.abort()
    await Promise.allSettled(waits)
  }
}

/** The Job as one object to create: the manifest, or one container of the image. */
function asCreation(session: Session): Session {
  const {config, spec, idempotencyKey} = session
  const given = config['manifest'] === undefined ? imageJob(session) : (manifestOf(config)[0] ?? {})
  const metadata = isObject(given['metadata']) ? given['metadata'] : {}
  const generated = `${slugOf(spec.name)}-${shortId(idempotencyKey)}`
  const name = metadata['generateName'] === undefined ? (readText(config, 'name') ?? generated) : undefined
  const manifest: JsonObject = {...given, metadata: {...(name === undefined ? {} : {name}), ...metadata}}
  return {...session, config: {manifest}}
}

function imageJob(session: Session): JsonObject {
  const {command, env} = commandFor(session)
  const variables = Object.entries(env).map(([name, value]) => ({name, value}))
  const container: JsonObject = {
    name: 'job',
    image: String(session.config['image']),
    ...(command.length > 0 ? {command: [...command]} : {}),
    ...(variables.length > 0 ? {env: variables} : {}),
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: {backoffLimit: 0, template: {spec: {restartPolicy: 'Never', containers: [container]}}},
  }
}

function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 40)
  return slug === '' ? 'job' : slug
}
