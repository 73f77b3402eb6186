import type {JsonObject} from '@atomctl/protocol/values'
import {resolveTarget, type Target} from './kubernetes/target.ts'
import type {BlastLimit, SafetyRules} from './options.ts'
import {readCount} from './kubernetes/values.ts'
import type {HandlerSpec, Program} from './program.ts'
import {refuse} from './refusal.ts'

/** The limits that count in a kubectl context; where the context is not known, all of them do. */
export function limitsOf(limits: readonly BlastLimit[], context: string | undefined): BlastLimit[] {
  return limits.filter(({contexts}) => contexts === undefined || context === undefined || matchesAny(contexts, context))
}

/**
 * Refuses what can be seen to go beyond a limit before anything runs. What only shows on the way, outputs of earlier
 * steps or the number of objects behind a selector, the k8s handler compares when it gets there. Throws 403.
 */
export function checkLimits({handlers, rollback}: Program, parameters: JsonObject, {limits = []}: SafetyRules): void {
  if (limits.length === 0) return
  for (const spec of [...handlers, ...rollback]) {
    const target = spec.type === 'k8s' ? knownTarget(spec, parameters) : undefined
    const counting = limitsWithout(limits, spec, target)
    const problem =
      typeProblem(spec, counting) ?? (target && (placeProblem(target, counting) ?? countProblem(spec, counting)))
    if (problem !== undefined)
      throw refuse(403, 'DENIED', `The safety policy does not allow handler "${spec.name}": ${problem}`)
  }
}

/** Of a handler whose context is not known yet, only the limits that hold in every context. */
function limitsWithout(limits: readonly BlastLimit[], {type}: HandlerSpec, target: Target | undefined): BlastLimit[] {
  const context = target?.context
  if (type === 'k8s' && context !== undefined) return limitsOf(limits, context)
  return limits.filter(({contexts}) => contexts === undefined)
}

function typeProblem({type}: HandlerSpec, limits: readonly BlastLimit[]): string | undefined {
  const limit = limits.find(({handlers}) => handlers !== undefined && !handlers.includes(type))
  return limit && `its type is ${type}, and only ${limit.handlers?.join(', ')} may run`
}

/** Why the place is none that may be touched. A namespace that is not named could be any. */
export function placeProblem(
  {namespace}: Pick<Target, 'namespace'>,
  limits: readonly BlastLimit[],
): string | undefined {
  const limit = limits.find(
    ({namespaces}) => namespaces !== undefined && (namespace === undefined || !matchesAny(namespaces, namespace)),
  )
  if (!limit) return undefined
  const allowed = limit.namespaces?.join(', ')
  return namespace === undefined
    ? `it names no namespace, and only ${allowed} may be touched`
    : `namespace ${namespace} is not one of ${allowed}`
}

function countProblem({config}: HandlerSpec, limits: readonly BlastLimit[]): string | undefined {
  const most = leastOf(limits, 'maxReplicas')
  const wanted =
    config['action'] === 'scale' && typeof config['replicas'] === 'number' ? readCount(config, 'replicas') : 0
  return (wanted ?? 0) > most ? `it scales to ${wanted} replicas, and ${most} are the most` : undefined
}

export function leastOf(limits: readonly BlastLimit[], key: 'maxReplicas' | 'maxObjects' | 'maxPods'): number {
  return Math.min(...limits.map((limit) => limit[key] ?? Infinity))
}

/** Undefined where a placeholder has no value before earlier steps ran, or a value is none that could be a target. */
function knownTarget({config}: HandlerSpec, parameters: JsonObject): Target | undefined {
  try {
    return resolveTarget(config, parameters, parameters)
  } catch {
    return undefined
  }
}

/** `*` stands for any characters. */
function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const form = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${form.join('.*')}$`, 's').test(text)
  })
}
