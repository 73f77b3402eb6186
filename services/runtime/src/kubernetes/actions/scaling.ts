import type {Json, JsonObject} from '@atomctl/protocol/values'
import {AtomError} from '@atomctl/wpk/errors'
import {changing, MANAGER, type Change} from '../changes.ts'
import {KubectlError} from '../kubectl.ts'
import {namesOf, type Action, type Session} from '../session.ts'
import {placeFlags} from '../target.ts'
import {parseJson, readCount, valueAt} from '../values.ts'

const SCALED_BY = 'atomctl/scale'
/** 1.1 times 10 is a little more than 11 in binary, and must not become 12. */
const ROUNDING = 1e-9

/** What an execution wrote onto an object in the same change that scaled it. */
interface Scaling {
  readonly execution: string
  /** Replicas before this execution scaled it for the first time: what `original` returns to. */
  readonly original: number
  readonly key: string
  readonly replicas: number
}

/** To a number, by a factor of what the API says there is now, or back to what this execution found. */
export const scale: Action = changing(async (session) =>
  Promise.all((await namesOf(session)).map((name) => scalingOf(session, name))),
)

async function scalingOf(session: Session, name: string): Promise<Change> {
  const {target, kubectl, executionId, idempotencyKey} = session
  const words = [`${target.type}/${name}`]
  const object = await kubectl.read(['get', ...placeFlags(target), ...words])
  const current = Number(valueAt(object, 'spec', 'replicas') ?? 1)
  const record = recordOf(object, executionId)
  const subject = `${target.type} ${name}`
  const replicas = record?.key === idempotencyKey ? record.replicas : wanted(session.config, current, record, subject)
  const fresh: Scaling = {execution: executionId, original: record?.original ?? current, key: idempotencyKey, replicas}
  return {
    words: ['patch', ...words, '--type=merge', MANAGER],
    patch: {metadata: {annotations: {[SCALED_BY]: JSON.stringify(fresh)}}, spec: {replicas}},
    present: {words},
    note: `scales ${subject} from ${current} to ${replicas} replicas`,
  }
}

function wanted(config: JsonObject, current: number, record: Scaling | undefined, subject: string): number {
  const {replicas, scale_factor: factor} = config
  if (typeof factor === 'number') return scaled(current, factor, readCount(config, 'max_replicas'))
  if (replicas !== 'original') return readCount(config, 'replicas') ?? missing()
  if (record) return record.original
  throw new KubectlError(
    `this execution has not scaled ${subject}, so it knows no original number of replicas`,
    'Failed',
  )
}

/** Rounded up; the bound keeps from growing beyond it and never shrinks what is already larger. */
function scaled(current: number, factor: number, most = Infinity): number {
  const target = Math.ceil(current * factor - ROUNDING)
  return factor > 1 ? Math.max(current, Math.min(target, most)) : Math.min(target, most)
}

function missing(): never {
  throw new AtomError('PARAMETER_INVALID', 'The action scale needs replicas or scale_factor')
}

function recordOf(object: Json, executionId: string): Scaling | undefined {
  const text = valueAt(object, 'metadata', 'annotations', SCALED_BY)
  const record = typeof text === 'string' ? (parseJson(text) as Scaling | undefined) : undefined
  return record?.execution === executionId ? record : undefined
}
