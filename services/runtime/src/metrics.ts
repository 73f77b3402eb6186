import {collectDefaultMetrics, Counter, Gauge, Histogram, Registry} from 'prom-client'

/** Names are the caller's, so there could be any number of them; the rest are counted together. */
const LARGEST_CARDINALITY = 500
const OTHER = 'other'

function activeGauge(countActive: () => number): Gauge {
  return new Gauge({
    name: 'active_workflows',
    help: 'Executions in this process that have not ended',
    registers: [],
    collect() {
      this.set(countActive())
    },
  })
}

/** The series of protocol section 3.6, in a registry of this app's own. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #names = new Set<string>()
  readonly #runs: Counter<'workflow_name' | 'status'>
  readonly #successes: Counter<'workflow_name'>
  readonly #failures: Counter<'workflow_name' | 'error_type'>
  readonly #duration: Histogram<'workflow_name'>

  constructor(countActive: () => number) {
    const registers = [this.#registry]
    collectDefaultMetrics({register: this.#registry})
    const names = ['workflow_name'] as const
    this.#runs = new Counter({
      name: 'workflow_runs_total',
      help: 'Executions that ended',
      labelNames: [...names, 'status'],
      registers,
    })
    this.#successes = new Counter({
      name: 'workflow_success_total',
      help: 'Executions that completed',
      labelNames: names,
      registers,
    })
    this.#failures = new Counter({
      name: 'workflow_failure_total',
      help: 'Executions that did not complete',
      labelNames: [...names, 'error_type'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'workflow_duration_seconds',
      help: 'Time from start to end',
      labelNames: names,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 1800],
      registers,
    })
    this.#registry.registerMetric(activeGauge(countActive))
  }

  ended(name: string, status: string, seconds: number): void {
    const label = this.#label(name)
    const isSuccess = status === 'completed'
    this.#runs.inc({workflow_name: label, status: isSuccess ? 'success' : 'failed'})
    if (isSuccess) this.#successes.inc({workflow_name: label})
    else
      this.#failures.inc({workflow_name: label, error_type: status === 'cancelled' ? 'cancelled' : 'execution_error'})
    this.#duration.observe({workflow_name: label}, seconds)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #label(name: string): string {
    if (this.#names.size < LARGEST_CARDINALITY) this.#names.add(name)
    return this.#names.has(name) ? name : OTHER
  }
}
