import {readFile, realpath} from 'node:fs/promises'
import {createHash} from 'node:crypto'
import {isAbsolute, relative, resolve} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {parseDuration} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import {isObject} from '../../program.ts'
import {changing, MANAGER, objectsIn} from '../changes.ts'
import {KubectlError} from '../kubectl.ts'
import {commandLine, isSecretTarget, namesOf, planCommand, readObject, type Action, type Session} from '../session.ts'
import {objectWords, placeFlags} from '../target.ts'
import {parseJson, readCount, readText, readTexts, valueAt} from '../values.ts'

/** `kubectl get`, whole as YAML or one field; the values of Secrets stay in the cluster. */
export const get: Action = {
  plan: (session) => planCommand(session, getWords(session)),
  async run(session) {
    if (isSecretTarget(session)) {
      const object = await readObject(session)
      const text = JSON.stringify(object, null, 2)
      session.kubectl.show(text)
      return {output: text, exitCode: 0, document: () => object}
    }
    const {output, stdout, exitCode} = await session.kubectl.stream(getWords(session))
    const isField = session.config['field'] !== undefined
    return {output, exitCode, document: () => (isField ? stdout : readObject(session))}
  },
}

function getWords({config, target}: Session): string[] {
  const field = readText(config, 'field')
  const output = field === undefined ? '--output=yaml' : `--output=jsonpath=${jsonPath(field)}`
  return ['get', ...objectWords(target), output, ...placeFlags(target)]
}

/** kubectl wants `{.metadata.name}`; packages also write `metadata.name`. */
function jsonPath(field: string): string {
  if (field.includes('{')) return field
  return `{${/^[.[$]/.test(field) ? '' : '.'}${field}}`
}

/** The patch goes to the API as it is written, so the same patch twice is one change. */
export const patch: Action = changing(async (session) => {
  const strategy = readText(session.config, 'strategy') ?? (Array.isArray(session.patch) ? 'json' : 'strategic')
  const names = await namesOf(session)
  return names.map((name) => {
    const words = [`${session.target.type}/${name}`]
    const sent = session.patch ?? {}
    return {words: ['patch', ...words, `--type=${strategy}`, MANAGER], patch: sent, present: {words}}
  })
})

const KEY = /^([a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/

export const annotate: Action = marking('annotate', 'annotation')
export const label: Action = marking('label', 'label')

function marking(verb: 'annotate' | 'label', key: 'annotation' | 'label'): Action {
  return changing(async (session) => {
    const marks = Object.entries(readMarks(session.config, key)).map(([name, value]) => markWord(name, value, key))
    return (await namesOf(session)).map((name) => {
      const words = [`${session.target.type}/${name}`]
      return {words: [verb, ...words, '--overwrite', MANAGER, ...marks], present: {words}}
    })
  })
}

function readMarks(config: JsonObject, key: 'annotation' | 'label'): Record<string, string> {
  const one = readText(config, key)
  const value = config['value']
  return {
    ...readTexts(config[`${key}s`]),
    ...(one === undefined || value === undefined ? {} : readTexts({[one]: value})),
  }
}

function markWord(name: string, value: string, key: string): string {
  if (KEY.test(name)) return `${name}=${value}`
  throw new AtomError('PARAMETER_INVALID', `${JSON.stringify(name.slice(0, 80))} cannot be the key of ${key}s`)
}

/** `kubectl apply` of the objects in the config, or of a manifest among the package's files. */
export const apply: Action = changing(
  async (session) => {
    const input = await manifestText(session)
    return [
      {
        words: ['apply', '--filename=-', MANAGER],
        input,
        present: {words: ['--filename=-', '--ignore-not-found'], input},
      },
    ]
  },
  async (session) =>
    session.kubectl.read(['get', ...placeFlags(session.target), '--filename=-'], await manifestText(session)),
)

async function manifestText(session: Session): Promise<string> {
  const file = readText(session.config, 'file')
  if (file === undefined) return asStream(manifestOf(session.config))
  if (session.directory === undefined)
    throw new AtomError('PARAMETER_INVALID', `${file} is a file of the package, which a dry run does not fetch`, {
      details: {placeholder: file},
    })
  return readFile(await pathInside(session.directory, file), 'utf8')
}

/** Also links in it lead nowhere else. Throws PARAMETER_INVALID. */
async function pathInside(directory: string, file: string): Promise<string> {
  const root = await realpath(directory)
  const path = await realpath(resolve(root, file)).catch(() => undefined)
  const way = path === undefined ? '..' : relative(root, path)
  if (path !== undefined && !way.startsWith('..') && !isAbsolute(way)) return path
  throw new AtomError('PARAMETER_INVALID', `The package has no file ${JSON.stringify(file.slice(0, 200))}`)
}

/** Throws PARAMETER_INVALID. */
export function manifestOf(config: JsonObject): JsonObject[] {
  const written = config['manifest'] ?? config['template']
  const objects = (Array.isArray(written) ? written : [written ?? null]).filter(isObject)
  if (objects.length > 0) return objects
  throw new AtomError('PARAMETER_INVALID', 'The manifest must be a mapping, or a list of them')
}

/** Several documents in one stream, because kubectl checks the fields of a List nowhere. */
function asStream(objects: readonly JsonObject[]): string {
  // the mark comes first, too: a stream that begins with a brace is JSON to older kubectls, and ends with it
  return objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('')
}

/** Annotation that names the step which made an object. */
export const STEP = 'atomctl/step'

/**
 * `kubectl create` of what must not be there yet. What it makes carries the step, so that a step that is run again
 * after a crash knows its own; a generated name is made of the step for the same reason.
 */
export const create: Action = {
  plan: (session) => creating.plan(session),
  async run(session) {
    await pauseFor(session)
    try {
      return await creating.run(session)
    } catch (error) {
      if (error instanceof KubectlError && error.reason === 'AlreadyExists' && (await isOwn(session))) {
        session.log('system', 'an earlier attempt at this step has created it already')
        return {output: '', exitCode: 0, document: () => readCreated(session)}
      }
      throw error
    }
  },
}

const creating = changing(
  async (session) =>
    marked(session).map((object) => ({
      words: ['create', '--filename=-', MANAGER],
      input: JSON.stringify(object),
      present: undefined,
    })),
  readCreated,
)

async function pauseFor({config, signal, timeoutMs, log}: Session): Promise<void> {
  const written = readText(config, 'delay')
  if (written === undefined) return
  const milliseconds = parseDuration(written)
  if (milliseconds === undefined) throw new AtomError('PARAMETER_INVALID', `delay must be a duration, not ${written}`)
  if (milliseconds >= timeoutMs)
    throw new AtomError('PARAMETER_INVALID', `The delay of ${written} takes all of the handler's timeout`)
  log('system', `waits ${written}`)
  await delay(milliseconds, undefined, {signal}).catch(() => {
    throw new KubectlError('stopped', 'Stopped')
  })
}

/** The objects with their step, and a name where the API would have made one up. */
export function marked({config, idempotencyKey}: Session): JsonObject[] {
  return manifestOf(config).map((object) => {
    const metadata = isObject(object['metadata']) ? object['metadata'] : {}
    const {generateName, ...rest} = metadata
    const name = rest['name'] ?? (typeof generateName === 'string' ? generateName + shortId(idempotencyKey) : undefined)
    const annotations = {...readTexts(metadata['annotations']), [STEP]: idempotencyKey}
    return {...object, metadata: {...rest, ...(name === undefined ? {} : {name}), annotations}}
  })
}

export function shortId(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 8)
}

async function isOwn(session: Session): Promise<boolean> {
  const found = objectsIn(await readCreated(session))
  return (
    found.length > 0 &&
    found.every((object) => valueAt(object, 'metadata', 'annotations', STEP) === session.idempotencyKey)
  )
}

async function readCreated(session: Session): Promise<Json> {
  const words = ['get', ...placeFlags(session.target), '--filename=-']
  return session.kubectl.read(words, asStream(marked(session)))
}

/** What is gone already is deleted: after a crash the step may find its own work done. */
export const remove: Action = {
  async plan(session) {
    await checkRemoval(session)
    const words = deleteWords(session)
    const {stdout} = await session.kubectl.ask([...words, '--dry-run=server', '--output=name'])
    const found = stdout.split('\n').filter((line) => line.trim() !== '')
    const lines = found.length > 0 ? found.map((name) => `deletes ${name}`) : ['nothing is there to delete']
    return {outcome: 'ready', lines: [`would run: ${commandLine(words)}`, ...lines]}
  },
  async run(session) {
    await checkRemoval(session)
    const {output, exitCode} = await session.kubectl.stream(deleteWords(session))
    return {output, exitCode, document: () => output}
  },
}

async function checkRemoval({caps, kubectl, target}: Session): Promise<void> {
  if (!caps) return
  const words = ['get', ...objectWords(target), '--ignore-not-found', '--output=json', ...placeFlags(target)]
  const {stdout} = await kubectl.ask(words)
  caps.check(objectsIn(parseJson(stdout)).map((before) => ({before, after: undefined})))
}

function deleteWords({config, target}: Session): string[] {
  const grace = readCount(config, 'grace_period')
  return [
    'delete',
    ...objectWords(target),
    '--ignore-not-found',
    ...(grace === undefined ? [] : [`--grace-period=${grace}`]),
    ...placeFlags(target),
  ]
}
