import type {JsonObject} from '@atomctl/protocol/values'
import {parseDuration, waitMeaning} from '@atomctl/wpk/document'
import {AtomError} from '@atomctl/wpk/errors'
import {planCommand, readObject, type Action, type Session} from '../session.ts'
import {objectWords, placeFlags} from '../target.ts'
import {readText} from '../values.ts'

const DEFAULT_MS = 60_000

/** Until the condition holds; for what is rolled out, until the new pods serve, which only `rollout status` knows. */
export const wait: Action = {
  plan: (session) => planCommand(session, waitWords(session)),
  async run(session) {
    const {output, exitCode} = await session.kubectl.stream(waitWords(session))
    return {output, exitCode, document: () => readObject(session)}
  },
}

function waitWords({config, target}: Session): string[] {
  const objects = objectWords(target)
  const condition = readText(config, 'condition') ?? 'ready'
  const limits = [`--timeout=${Math.ceil(waitMs(config) / 1000)}s`, ...placeFlags(target)]
  const meaning = waitMeaning(condition, target.type ?? '')
  if (meaning === 'rollout') return ['rollout', 'status', ...objects, ...limits]
  if (meaning !== undefined) return ['wait', ...objects, `--for=${meaning.for}`, ...limits]
  throw new AtomError('PARAMETER_INVALID', `${target.type} has no condition "${condition}"; write condition=NAME`)
}

function waitMs(config: JsonObject): number {
  return parseDuration(readText(config, 'timeout') ?? '') ?? DEFAULT_MS
}
