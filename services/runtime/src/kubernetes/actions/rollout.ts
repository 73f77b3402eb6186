import type {Json, JsonObject} from '@atomctl/protocol/values'
import {kindOf} from '@atomctl/wpk/document'
import {isObject} from '../../program.ts'
import {changing, MANAGER, objectsIn, type Change} from '../changes.ts'
import {KubectlError} from '../kubectl.ts'
import {namesOf, type Action, type Session} from '../session.ts'
import {placeFlags, typeOf} from '../target.ts'
import {readCount, valueAt} from '../values.ts'

const RESTARTED = 'atomctl/restart'
const ROLLED_BACK = 'atomctl/rollback'
const REVISION = 'deployment.kubernetes.io/revision'

/**
 * A restart as kubectl does it, by an annotation of the pod template; its value is the step and not the time, so that
 * a step that is run again after a crash does not restart again.
 */
export const restart: Action = changing(async (session) => {
  const type = typeOf(session.target)
  if (session.config['grace_period'] !== undefined)
    session.log(
      'system',
      'grace_period is not used: pods that are replaced end by their own terminationGracePeriodSeconds',
    )
  return Promise.all((await namesOf(session)).map((name) => restartOf(session, type, name)))
})

async function restartOf(session: Session, type: string, name: string): Promise<Change> {
  const words = [`${type}/${name}`]
  const object = await readPlaced(session, words)
  if (valueAt(object, 'spec', 'paused') === true) throw new KubectlError(`${type} ${name} is paused`, 'Failed')
  const annotations = {[RESTARTED]: session.idempotencyKey}
  return {
    words: ['patch', ...words, '--type=strategic', MANAGER],
    patch: {spec: {template: {metadata: {annotations}}}},
    present: {words},
    note: `restarts ${type} ${name}${revisionNote(object)}`,
  }
}

function revisionNote(object: Json): string {
  const revision = valueAt(object, 'metadata', 'annotations', REVISION)
  return typeof revision === 'string' ? `, at revision ${revision} until now` : ''
}

/**
 * Back to the pods of an earlier revision, as `kubectl rollout undo` does it. The same patch leaves the step's mark,
 * because undoing twice would undo itself; kubectl's own command would take the mark away again.
 */
export const rollback: Action = changing(async (session) => {
  const type = typeOf(session.target)
  const changes: Change[] = []
  for (const name of await namesOf(session)) changes.push(...(await rollbackOf(session, type, name)))
  return changes
})

async function rollbackOf(session: Session, type: string, name: string): Promise<Change[]> {
  const words = [`${type}/${name}`]
  const object = await readPlaced(session, words)
  if (valueAt(object, 'metadata', 'annotations', ROLLED_BACK) === session.idempotencyKey) {
    session.log('system', `${type} ${name} is already rolled back by an earlier attempt at this step`)
    return []
  }
  const revisions = await revisionsOf(session, type, object)
  const chosen = chooseRevision(session, revisions, `${type} ${name}`)
  return [
    {
      words: ['patch', ...words, '--type=strategic', MANAGER],
      patch: {metadata: {annotations: {[ROLLED_BACK]: session.idempotencyKey}}, ...chosen.patch},
      present: {words},
      note: `rolls ${type} ${name} back from revision ${revisions.at(-1)?.number} to ${chosen.number}`,
    },
  ]
}

interface Revision {
  readonly number: number
  /** Strategic, as ControllerRevisions hold it. */
  readonly patch: JsonObject
}

function chooseRevision({config}: Session, revisions: readonly Revision[], subject: string): Revision {
  const wanted = config['revision'] === 'previous' ? 0 : (readCount(config, 'revision') ?? 0)
  const chosen = wanted === 0 ? revisions.at(-2) : revisions.find(({number}) => number === wanted)
  if (chosen !== undefined) return chosen
  const known = revisions.length > 0 ? `it has ${revisions.map(({number}) => number).join(', ')}` : 'it has none'
  const missing = wanted === 0 ? 'earlier revision' : `revision ${wanted}`
  throw new KubectlError(`${subject} has no ${missing}: ${known}`, 'Failed')
}

/** Revisions of an object, the current one last: ReplicaSets keep those of Deployments, ControllerRevisions the rest. */
async function revisionsOf(session: Session, type: string, object: Json): Promise<Revision[]> {
  const uid = String(valueAt(object, 'metadata', 'uid'))
  const isDeployment = kindOf(type) === 'deployment'
  const list = await readPlaced(session, [isDeployment ? 'replicasets.apps' : 'controllerrevisions.apps'])
  const owned = objectsIn(list).filter((item) => ownersOf(item).includes(uid))
  const revisions = owned.map(isDeployment ? replicaSetRevision : controllerRevision)
  return revisions.filter(({number}) => Number.isInteger(number)).toSorted((a, b) => a.number - b.number)
}

function replicaSetRevision(set: Json): Revision {
  const template = mappingAt(set, 'spec', 'template')
  const metadata = mappingAt(template, 'metadata')
  const {'pod-template-hash': _hash, ...labels} = mappingAt(metadata, 'labels')
  const replaced = {...template, metadata: {...metadata, labels}, $patch: 'replace'}
  return {
    number: Number(valueAt(set, 'metadata', 'annotations', REVISION)),
    patch: {spec: {template: replaced}},
  }
}

function controllerRevision(revision: Json): Revision {
  return {number: Number(valueAt(revision, 'revision')), patch: mappingAt(revision, 'data')}
}

function mappingAt(value: Json, ...path: readonly string[]): JsonObject {
  const found = valueAt(value, ...path)
  return isObject(found) ? found : {}
}

function ownersOf(object: Json): string[] {
  const owners = valueAt(object, 'metadata', 'ownerReferences')
  return Array.isArray(owners) ? owners.filter(isObject).map(({uid}) => String(uid)) : []
}

async function readPlaced({kubectl, target}: Session, words: readonly string[]): Promise<Json> {
  return kubectl.read(['get', ...placeFlags(target), ...words])
}
