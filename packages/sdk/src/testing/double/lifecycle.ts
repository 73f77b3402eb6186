import {naiveNow} from './framework.ts'

type Fields = Record<string, unknown>

const KNOWN_ACTIONS = new Set(['logs', 'events', 'restart', 'scale', 'wait'])
const ADAPTERS = new Set(['k8s', 'shell', 'api'])

/** One execution as `GET /execute/{id}` shows it; every key is always there. */
export interface ExecutionState {
  readonly execution_id: string
  readonly workflow_id: string
  status: 'pending' | 'running' | 'completed' | 'failed' | 'rolled_back'
  started_at: string | null
  completed_at: string | null
  current_step: string | null
  steps_completed: number
  total_steps: number
  error_message: string | null
  readonly logs: string[]
}

export interface Lifecycle {
  readonly state: ExecutionState
  readonly content: Fields
  readonly dryRun: boolean
  /** Calls back after the pause of one step. */
  pause(next: () => void): void
}

/** Runs an execution with the mock adapters of the original (protocol section 4): nothing is really done. */
export function runExecution(lifecycle: Lifecycle): void {
  const {state, content} = lifecycle
  const spec = content['spec'] as Fields | undefined
  // A missing name or missing handlers raise before the status is set: pending for ever.
  if ((content['metadata'] as Fields | undefined)?.['name'] === undefined || spec?.['handlers'] === undefined) return
  state.status = 'running'
  state.started_at = naiveNow()
  // `len(None)` raises after it was set: running for ever.
  if (!Array.isArray(spec['handlers'])) return
  state.total_steps = spec['handlers'].length
  runStep(lifecycle, spec['handlers'] as unknown[], 0)
}

function runStep(lifecycle: Lifecycle, handlers: unknown[], index: number): void {
  const {state, dryRun, pause} = lifecycle
  state.steps_completed = index
  if (index === handlers.length) return complete(state, 'completed')
  const outcome = perform(handlers[index], dryRun)
  if ('name' in outcome) state.current_step = outcome.name
  if ('raised' in outcome) return fail(lifecycle, outcome.raised)
  state.logs.push(`Handler ${outcome.name}: ${outcome.error === undefined ? 'success' : 'error'}`)
  if (outcome.error !== undefined) return fail(lifecycle, `Handler ${outcome.name} failed: ${outcome.error}`)
  pause(() => runStep(lifecycle, handlers, index + 1))
}

type Outcome = {name: string; error?: string} | {raised: string} | {name: string; raised: string}

/** One handler with Python's error texts: a missing key is just its quoted name. */
function perform(handler: unknown, dryRun: boolean): Outcome {
  if (typeof handler !== 'object' || handler === null) return {raised: "string indices must be integers, not 'str'"}
  const {name, type, config} = handler as Fields
  if (name === undefined) return {raised: "'name'"}
  const step = name as string
  if (type === undefined) return {name: step, raised: "'type'"}
  if (!ADAPTERS.has(type as string)) return {name: step, raised: `Unknown handler type: ${type as string}`}
  if (config === undefined) return {name: step, raised: "'config'"}
  const action = String((config as Fields | null)?.['action'])
  const unknown = type === 'k8s' && !dryRun && !KNOWN_ACTIONS.has(action)
  return unknown ? {name: step, error: `Unknown k8s action: ${action}`} : {name: step}
}

function fail(lifecycle: Lifecycle, message: string): void {
  const {state, content} = lifecycle
  state.error_message = message
  complete(state, 'failed')
  const {enabled, handlers} = ((content['spec'] as Fields)['rollback'] ?? {}) as Fields
  if (enabled === true && Array.isArray(handlers) && handlers.length > 0) rollBack(lifecycle, handlers as unknown[])
}

// Without a pause: there is no observable window between failed and rolled_back.
function rollBack({state, dryRun}: Lifecycle, handlers: unknown[]): void {
  state.logs.push('Starting rollback...')
  for (const handler of handlers) {
    const outcome = perform(handler, dryRun)
    if ('raised' in outcome && outcome.raised.startsWith('Unknown handler type')) continue
    if ('raised' in outcome) return void state.logs.push(`Rollback failed: ${outcome.raised}`)
    state.logs.push(`Rollback ${outcome.name}: ${outcome.error === undefined ? 'success' : 'error'}`)
  }
  state.logs.push('Rollback completed')
  state.status = 'rolled_back'
}

function complete(state: ExecutionState, status: 'completed' | 'failed'): void {
  state.status = status
  state.completed_at = naiveNow()
}
