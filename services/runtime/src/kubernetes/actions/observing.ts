import type {Json} from '@atomctl/protocol/values'
import {kindOf, parseDuration} from '@atomctl/wpk/document'
import {isObject} from '../../program.ts'
import {objectsIn} from '../changes.ts'
import {KubectlError} from '../kubectl.ts'
import {planCommand, type Action, type Outcome, type Session} from '../session.ts'
import {describeTarget, objectWords, placeFlags} from '../target.ts'
import {readCount, readText, readTexts, valueAt} from '../values.ts'

const LINES = 100
/** Pods whose logs one step reads. */
const MOST_PODS = 50

/** `kubectl logs`; `previous` is asked only of pods that have an earlier container, the others show the present one. */
export const logs: Action = {
  plan: (session) =>
    planCommand(
      session,
      logWords(session, objectWords(session.target, logType(session)), session.config['previous'] === true),
      logType(session),
    ),
  async run(session) {
    const type = logType(session)
    if (session.config['previous'] === true || (kindOf(type) === 'pod' && session.target.name === undefined))
      return readPods(session, await podsOf(session, type))
    const words = logWords(session, objectWords(session.target, type), false)
    const {output, exitCode} = await session.kubectl.stream(words)
    return {output, exitCode, document: () => output}
  },
}

/** The pods themselves, or those that the selector of a Deployment, Job or the like chooses. */
async function podsOf(session: Session, type: string): Promise<Json[]> {
  const {kubectl, target} = session
  const found = objectsIn(await kubectl.read(['get', ...placeFlags(target), ...objectWords(target, type)]))
  if (kindOf(type) === 'pod') return found
  const lists = found.map(async (object) => {
    const labels = Object.entries(readTexts(valueAt(object, 'spec', 'selector', 'matchLabels')))
    const selector = labels.map(([key, value]) => `${key}=${value}`).join()
    if (selector === '') throw new KubectlError(`${type} has no selector, so nobody knows its pods`, 'Failed')
    return objectsIn(await kubectl.read(['get', ...placeFlags(target), 'pods', `--selector=${selector}`]))
  })
  return (await Promise.all(lists)).flat()
}

function logType({target, config}: Session): string {
  return target.type ?? readText(config, 'resource') ?? 'pod'
}

function logWords({config, target}: Session, objects: readonly string[], isPrevious: boolean): string[] {
  const container = readText(config, 'container')
  const since = parseDuration(readText(config, 'since') ?? '')
  return [
    'logs',
    ...objects,
    `--tail=${readCount(config, 'lines') ?? LINES}`,
    ...(container === undefined ? [] : [`--container=${container}`]),
    ...(isPrevious ? ['--previous'] : []),
    ...(since === undefined ? [] : [`--since=${Math.ceil(since / 1000)}s`]),
    ...placeFlags(target),
  ]
}

async function readPods(session: Session, pods: readonly Json[]): Promise<Outcome> {
  const {target, log} = session
  if (pods.length === 0) log('system', `there are no pods ${describeTarget(target, '')}`)
  if (pods.length > MOST_PODS) log('system', `truncated: logs of ${MOST_PODS} of ${pods.length} pods`)
  const outputs: string[] = []
  for (const pod of pods.slice(0, MOST_PODS)) outputs.push(...(await readPod(session, pod)))
  const output = outputs.join('')
  return {output, exitCode: 0, document: () => output}
}

async function readPod(session: Session, pod: Json): Promise<string[]> {
  const {kubectl, log, config} = session
  const words = [`pod/${String(valueAt(pod, 'metadata', 'name'))}`]
  const restarted = config['previous'] === true ? restartedContainers(pod, readText(config, 'container')) : []
  if (restarted.length === 0) {
    log('system', `logs of ${words[0]}${config['previous'] === true ? ', which has not restarted' : ''}:`)
    return [(await kubectl.stream(logWords(session, words, false))).output]
  }
  const outputs: string[] = []
  for (const container of restarted) {
    log('system', `logs of ${words[0]} before the last restart of ${container}:`)
    const own = {...session, config: {...config, container}}
    outputs.push((await kubectl.stream(logWords(own, words, true))).output)
  }
  return outputs
}

function restartedContainers(pod: Json, wanted: string | undefined): string[] {
  const statuses = valueAt(pod, 'status', 'containerStatuses')
  if (!Array.isArray(statuses)) return []
  const restarted = statuses.filter((status) => Number(valueAt(status, 'restartCount') ?? 0) > 0)
  return restarted.map((status) => String(valueAt(status, 'name'))).filter((name) => (wanted ?? name) === name)
}

/** Events about the target, oldest first. A selector chooses the objects, because events carry no labels of theirs. */
export const events: Action = {
  async plan(session) {
    return planCommand(session, eventWords(session))
  },
  async run(session) {
    const {kubectl, target, config} = session
    const found = objectsIn(await kubectl.read(eventWords(session)))
    const names = target.selector === undefined ? undefined : await matching(session)
    const about = found.filter((event) => isAbout(event, session, names))
    const sorted = about
      .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
      .slice(-(readCount(config, 'lines') ?? LINES))
    const text = sorted.map(describeEvent).join('\n')
    kubectl.show(text === '' ? `no events about ${describeTarget(target)}` : text)
    return {output: text, exitCode: 0, document: () => sorted}
  },
}

function eventWords({target}: Session): string[] {
  const {name} = target
  const narrow = name === undefined ? [] : [`--field-selector=involvedObject.name=${name}`]
  return ['get', 'events', ...narrow, ...placeFlags(target)]
}

/** No object at all is no reason to fail: then there are no events either. */
async function matching(session: Session): Promise<readonly string[]> {
  const list = await session.kubectl.read(['get', ...placeFlags(session.target), ...objectWords(session.target)])
  return objectsIn(list).map((object) => String(valueAt(object, 'metadata', 'name')))
}

function isAbout(event: Json, {target}: Session, names: readonly string[] | undefined): boolean {
  const [kind, name] = ['kind', 'name'].map((key) => String(valueAt(event, 'involvedObject', key)))
  if (target.type !== undefined && kindOf(target.type) !== kind?.toLowerCase()) return false
  if (target.name !== undefined) return name === target.name
  return names === undefined || names.includes(name ?? '')
}

function timeOf(event: Json): string {
  const times = ['lastTimestamp', 'eventTime', 'firstTimestamp'].map((key) => valueAt(event, key))
  return String(times.find((time) => typeof time === 'string') ?? valueAt(event, 'metadata', 'creationTimestamp') ?? '')
}

function describeEvent(event: Json): string {
  const about = valueAt(event, 'involvedObject')
  const object = isObject(about) ? `${String(about['kind']).toLowerCase()}/${String(about['name'])}` : ''
  const [type, reason, message] = ['type', 'reason', 'message'].map((key) => String(valueAt(event, key) ?? ''))
  return [timeOf(event), type, reason, object, message?.replaceAll(/\s+/g, ' ')].join('  ')
}

/** CPU and memory, as `kubectl top` has them from the cluster's metrics API. */
export const metrics: Action = {
  async plan(session) {
    return planCommand(session, topWords(session), session.target.type ?? 'pod')
  },
  async run(session) {
    const {output, exitCode} = await session.kubectl.stream(topWords(session))
    return {output, exitCode, document: () => output}
  },
}

function topWords({target}: Session): string[] {
  const kind = kindOf(target.type ?? 'pod')
  return [
    'top',
    kind,
    ...(target.name === undefined ? [] : [target.name]),
    ...(target.selector === undefined ? [] : [`--selector=${target.selector}`]),
    ...placeFlags(kind === 'node' ? {...target, namespace: undefined} : target),
  ]
}
