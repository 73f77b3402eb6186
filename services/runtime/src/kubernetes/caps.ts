import type {Json} from '@atomctl/protocol/values'
import {leastOf, limitsOf, placeProblem} from '../limits.ts'
import type {BlastLimit} from '../options.ts'
import {KubectlError, type Kubectl} from './kubectl.ts'
import type {Target} from './target.ts'
import {valueAt} from './values.ts'

/** What a change does to one object, as the API itself says in a dry run. */
export interface Effect {
  readonly before: Json | undefined
  /** Absent: it is deleted. */
  readonly after: Json | undefined
}

/** The limits of the safety policy that count for one step, compared with what the API says the step would do. */
export class Caps {
  readonly #limits: readonly BlastLimit[]

  private constructor(limits: readonly BlastLimit[]) {
    this.#limits = limits
  }

  /** Undefined where nothing is limited. Throws KubectlError for a place that must not be touched. */
  static async of(all: readonly BlastLimit[], target: Target, kubectl: Kubectl): Promise<Caps | undefined> {
    const depends = all.some(({contexts}) => contexts !== undefined)
    const context = target.context ?? (depends ? await currentContext(kubectl) : undefined)
    const limits = limitsOf(all, context)
    const types = limits.find(({handlers}) => handlers !== undefined && !handlers.includes('k8s'))
    if (types) throw denied(`only handlers of type ${types.handlers?.join(', ')} may run`)
    const problem = placeProblem(target, limits)
    if (problem !== undefined) throw denied(problem)
    return limits.length === 0 ? undefined : new Caps(limits)
  }

  /** All effects of the step together. Throws KubectlError. */
  check(effects: readonly Effect[]): void {
    const objects = effects.map(({before, after}) => after ?? before ?? null)
    for (const object of objects) this.#checkPlace(object)
    this.#compare('maxObjects', effects.length, 'objects would change')
    this.#compare(
      'maxPods',
      effects.map(podsOf).reduce((sum, pods) => sum + pods, 0),
      'pods would be affected',
    )
    for (const {after} of effects)
      this.#compare('maxReplicas', countAt(after, 'spec', 'replicas'), `replicas of ${nameOf(after ?? null)}`)
  }

  /** Where namespaces are limited, an object of the whole cluster is in none of them. */
  #checkPlace(object: Json): void {
    const namespace = valueAt(object, 'metadata', 'namespace')
    const problem = placeProblem({namespace: typeof namespace === 'string' ? namespace : undefined}, this.#limits)
    if (problem !== undefined) throw denied(`${nameOf(object)}: ${problem}`)
  }

  #compare(key: 'maxReplicas' | 'maxObjects' | 'maxPods', count: number, what: string): void {
    const most = leastOf(this.#limits, key)
    if (count > most) throw denied(`${count} ${what}, and ${most} are the most`)
  }
}

/** Undefined where kubectl has none, as inside a cluster: then every limit counts. */
async function currentContext(kubectl: Kubectl): Promise<string | undefined> {
  const {stdout} = await kubectl.ask(['config', 'current-context']).catch(() => ({stdout: ''}))
  return stdout.trim() || undefined
}

/** The larger of before and after: a scale-down takes away those that are there. */
function podsOf({before, after}: Effect): number {
  return Math.max(podsIn(before), podsIn(after))
}

function podsIn(object: Json | undefined): number {
  const kind = String(valueAt(object ?? null, 'kind') ?? '')
  if (kind === 'Pod') return 1
  if (kind === 'Job') return countAt(object, 'spec', 'parallelism') || 1
  if (kind === 'DaemonSet') return countAt(object, 'status', 'desiredNumberScheduled')
  return countAt(object, 'spec', 'replicas')
}

function countAt(object: Json | undefined, ...path: readonly string[]): number {
  const count = valueAt(object ?? null, ...path)
  return typeof count === 'number' ? count : 0
}

function nameOf(object: Json): string {
  const kind = String(valueAt(object, 'kind') ?? 'object').toLowerCase()
  return `${kind} ${String(valueAt(object, 'metadata', 'name') ?? '')}`.trim()
}

function denied(problem: string): KubectlError {
  return new KubectlError(`the safety policy does not allow it: ${problem}`, 'Denied')
}
