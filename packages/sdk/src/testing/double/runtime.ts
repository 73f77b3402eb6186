import {randomUUID} from 'node:crypto'
import {
  type Answer,
  type Call,
  type FrameworkVersion,
  invalid,
  jsonObject,
  naiveNow,
  ok,
  Rejected,
  type Route,
} from './framework.ts'
import {type ExecutionState, runExecution} from './lifecycle.ts'

type Fields = Record<string, unknown>

const ADAPTERS = ['k8s', 'shell', 'api']

/** The original runtime agent (protocol section 3): no authentication, mock adapters, everything in memory. */
export class RuntimeDouble {
  readonly executions = new Map<string, ExecutionState>()
  readonly routes: readonly Route[]
  readonly #version: FrameworkVersion
  readonly #stepTime: number
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(version: FrameworkVersion, stepTime: number) {
    this.#version = version
    this.#stepTime = stepTime
    this.routes = [
      {method: 'GET', path: /^\/health$/, handle: () => this.#health()},
      {method: 'POST', path: /^\/init$/, handle: () => ok({status: 'initialized', adapters: ADAPTERS})},
      {method: 'POST', path: /^\/validate$/, handle: (call) => this.#validate(call)},
      {method: 'POST', path: /^\/execute$/, handle: (call) => this.#execute(call)},
      {method: 'GET', path: /^\/execute\/([^/]+)$/s, handle: ({id}) => ok(this.#find(id))},
      {method: 'GET', path: /^\/logs\/([^/]+)$/s, handle: ({id}) => ok({execution_id: id, logs: this.#find(id).logs})},
      {method: 'POST', path: /^\/rollback\/([^/]+)$/s, handle: ({id}) => this.#rollback(id)},
      {method: 'GET', path: /^\/metrics$/, handle: () => this.#metrics()},
    ]
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #find(id: string): ExecutionState {
    const found = this.executions.get(id)
    if (!found) throw new Rejected(404, 'Execution not found')
    return found
  }

  #health(): Answer {
    const active = [...this.executions.values()].filter(({status}) => status === 'running').length
    return ok({status: 'healthy', timestamp: naiveNow(), active_executions: active})
  }

  #execute({request}: Call): Answer {
    const {workflowId, content, dryRun} = this.#read(request)
    const state: ExecutionState = {
      execution_id: randomUUID(),
      workflow_id: workflowId,
      status: 'pending',
      started_at: null,
      completed_at: null,
      current_step: null,
      steps_completed: 0,
      total_steps: 0,
      error_message: null,
      logs: [],
    }
    this.executions.set(state.execution_id, state)
    runExecution({state, content, dryRun, pause: (next) => this.#pause(next)})
    return ok({execution_id: state.execution_id, status: 'started', message: 'Workflow execution started'})
  }

  #pause(next: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      next()
    }, this.#stepTime)
    this.#timers.add(timer)
  }

  #read(request: Call['request']): {workflowId: string; content: Fields; dryRun: boolean} {
    const body = jsonObject(request, this.#version)
    if (!body) throw invalid(this.#version, 'missing', ['body'])
    const {wpk_content: content, parameters, dry_run: dry = false} = body
    if (parameters !== undefined && parameters !== null) this.#object(parameters, 'parameters')
    return {
      workflowId: this.#text(body['workflow_id']),
      content: this.#object(content, 'wpk_content'),
      dryRun: this.#boolean(dry),
    }
  }

  #text(value: unknown): string {
    if (value === undefined) throw invalid(this.#version, 'missing', ['body', 'workflow_id'])
    if (typeof value === 'string') return value
    if (typeof value === 'number' && this.#version === 'measured') return String(value)
    throw invalid(this.#version, 'string', ['body', 'workflow_id'], value)
  }

  #object(value: unknown, field: string): Fields {
    if (value === undefined) throw invalid(this.#version, 'missing', ['body', field])
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
    if (Array.isArray(value) && value.length === 0 && this.#version === 'measured') return {}
    throw invalid(this.#version, 'object', ['body', field], value)
  }

  #boolean(value: unknown): boolean {
    const text = String(value).toLowerCase()
    if (['true', '1', 'yes', 'on', 'y', 't'].includes(text)) return true
    if (['false', '0', 'no', 'off', 'n', 'f'].includes(text)) return false
    throw invalid(this.#version, 'boolean', ['body', 'dry_run'], value)
  }

  // The reason is lost except on a current framework, which wraps its own error text (section 1.6).
  #validate({request}: Call): Answer {
    const {content} = this.#read(request)
    const reason = problemOf(content)
    if (reason !== undefined)
      throw new Rejected(400, `Validation failed: ${this.#version === 'current' ? `400: ${reason}` : ''}`)
    const {metadata, spec} = content as Record<string, Fields>
    const handlers = spec?.['handlers'] as unknown[]
    return ok({
      status: 'valid',
      workflow_name: metadata?.['name'],
      total_handlers: handlers.length,
      supported_adapters: ADAPTERS,
    })
  }

  /** Answers, and does nothing (section 3.5). */
  #rollback(id: string): Answer {
    const {status} = this.#find(id)
    if (status !== 'completed' && status !== 'failed') throw new Rejected(400, 'Cannot rollback running execution')
    return ok({message: 'Rollback started', execution_id: id})
  }

  #metrics(): Answer {
    const active = [...this.executions.values()].filter(({status}) => status === 'running').length
    return ok(
      `# HELP active_workflows Number of active workflows\n# TYPE active_workflows gauge\nactive_workflows ${active}.0\n`,
    )
  }
}

function problemOf(content: Fields): string | undefined {
  const metadata = content['metadata'] as Fields | undefined
  const spec = content['spec'] as Fields | undefined
  if (metadata === undefined || spec === undefined) return 'Invalid WPK structure'
  if (!Array.isArray(spec['handlers'])) return 'No handlers defined'
  const unknown = (spec['handlers'] as Fields[]).find((handler) => !ADAPTERS.includes(String(handler['type'])))
  if (unknown) return `Unsupported handler type: ${String(unknown['type'])}`
  return metadata['name'] === undefined ? "'name'" : undefined
}
