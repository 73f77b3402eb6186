import type {JsonObject} from '@atomctl/protocol/values'
import {parseDuration} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import {kindOf, ROLLED_OUT} from '../kinds.ts'
import {planCommand, readObject, type Action, type Session} from '../session.ts'
import {objectWords, placeFlags} from '../target.ts'
import {readText} from '../values.ts'

const DEFAULT_MS = 60_000

/** Words for "its new pods serve"; of what is rolled out in steps only `rollout status` knows. */
const SERVING: ReadonlySet<string> = new Set(['ready', 'available', 'healthy', 'rolled_out', 'complete', 'completed'])

/** Words of packages, and the condition of the API each stands for. */
const CONDITIONS: Readonly<Record<string, string>> = {
  ready: 'condition=Ready',
  available: 'condition=Available',
  complete: 'condition=Complete',
  completed: 'condition=Complete',
  failed: 'condition=Failed',
  progressing: 'condition=Progressing',
  initialized: 'condition=Initialized',
  podscheduled: 'condition=PodScheduled',
  containersready: 'condition=ContainersReady',
  established: 'condition=Established',
  deleted: 'delete',
  delete: 'delete',
  created: 'create',
  create: 'create',
}

/** What `kubectl wait --for` takes as it is. */
const WRITTEN = /^(condition=[A-Za-z][\w./-]*(=[A-Za-z]+)?|jsonpath=\{[^{}]+\}(=.*)?)$/s

/** Until the condition holds; for what is rolled out, until the new pods serve. */
export const wait: Action = {
  refuse: refuseCondition,
  plan: (session) => planCommand(session, waitWords(session)),
  async run(session) {
    const {output, exitCode} = await session.kubectl.stream(waitWords(session))
    return {output, exitCode, document: () => readObject(session)}
  },
}

function refuseCondition({condition}: JsonObject): string | undefined {
  if (typeof condition !== 'string' || condition.includes('${')) return undefined
  if (SERVING.has(condition.toLowerCase()) || meaningOf(condition) !== undefined) return undefined
  const known = [...SERVING, ...Object.keys(CONDITIONS)].filter((word, index, all) => all.indexOf(word) === index)
  return `nobody can wait for "${condition}"; possible are ${known.join(', ')}, condition=NAME and jsonpath={PATH}=VALUE`
}

export function waitWords(session: Session): string[] {
  const {config, target} = session
  const objects = objectWords(target)
  const condition = readText(config, 'condition') ?? 'ready'
  const problem = refuseCondition({condition})
  if (problem !== undefined) throw new AtomError('PARAMETER_INVALID', problem)
  const limits = [`--timeout=${Math.ceil(waitMs(config) / 1000)}s`, ...placeFlags(target)]
  const isRollout = ROLLED_OUT.has(kindOf(target.type ?? '')) && SERVING.has(condition.toLowerCase())
  if (isRollout) return ['rollout', 'status', ...objects, ...limits]
  const meaning = meaningOf(condition)
  if (meaning !== undefined) return ['wait', ...objects, `--for=${meaning}`, ...limits]
  throw new AtomError('PARAMETER_INVALID', `${target.type} has no condition "${condition}"; write condition=NAME`)
}

function meaningOf(condition: string): string | undefined {
  const word = condition.toLowerCase()
  if (Object.hasOwn(CONDITIONS, word)) return CONDITIONS[word]
  return WRITTEN.test(condition) ? condition : undefined
}

export function waitMs(config: JsonObject): number {
  return parseDuration(readText(config, 'timeout') ?? '') ?? DEFAULT_MS
}
