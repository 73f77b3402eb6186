import {type Execution, type ExecutionEvent, FINAL_STATUSES} from '@atomctl/protocol/runtime'
import {AtomError} from '../errors.ts'
import {type Clock, pause, type Service} from '../http/index.ts'
import {fetchExecution, fetchLogs, type LogLine, numberLines} from './executions.ts'
import {Patience} from './patience.ts'

const FIRST_DELAY = 100
const LONGEST_DELAY = 1500
const BACKOFF = 1.4
/** Long enough for a busy service; an original runtime needs milliseconds. */
const LONGEST_PENDING = 10_000

export interface Polling {
  readonly service: Service
  readonly clock: Clock
  readonly id: string
  readonly signal: AbortSignal
  /** An original runtime: log lines come with the status, and `pending` does not mean a queue. */
  readonly original: boolean
  /** False when a failed execution is known not to be rolled back. */
  readonly rollbackPossible: boolean
  /** Log lines up to this `seq` were delivered already. */
  readonly after: number
}

/**
 * Follows an execution by asking for it, 100 ms apart at first and 1.5 s in the end, and reports what changed as the
 * events a newer runtime would send. Ends after the final status.
 */
export async function* pollExecution(polling: Polling): AsyncGenerator<ExecutionEvent> {
  const {clock, id, signal, original, rollbackPossible} = polling
  const patience = new Patience(clock, id)
  const started = clock.now()
  const changes = new Changes(clock, polling.after)
  let confirmed = !rollbackPossible
  let delay = FIRST_DELAY
  for (;;) {
    const seen = await attempt(patience, () => observe(polling, changes.after))
    if (seen?.execution.status === 'failed' && !confirmed) {
      // A rollback may be about to begin (protocol section 4): believe it when it is said twice.
      confirmed = true
    } else if (seen) {
      yield* changes.since(seen)
      const {status} = seen.execution
      if (FINAL_STATUSES.has(status)) return
      if (status === 'pending' && original && clock.now() - started > LONGEST_PENDING) throw neverStarts(id)
    }
    await pause(clock, delay, signal)
    delay = Math.min(LONGEST_DELAY, delay * BACKOFF)
  }
}

interface Observation {
  readonly execution: Execution
  /** Those that were not delivered yet. */
  readonly lines: readonly LogLine[]
}

async function observe({service, id, signal, original}: Polling, after: number): Promise<Observation> {
  const execution = await fetchExecution(service, id, signal)
  if (original) return {execution, lines: numberLines(execution.logs ?? []).slice(after)}
  return {execution, lines: await fetchLogs(service, id, after, signal)}
}

async function attempt<T>(patience: Patience, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    const answer = await ask()
    patience.renew()
    return answer
  } catch (error) {
    patience.spend(error)
    return undefined
  }
}

function neverStarts(id: string): AtomError {
  return new AtomError('EXECUTION_FAILED', `Execution ${id} does not start: the runtime cannot read the package`, {
    hint: 'check the package with atomctl validate',
  })
}

/** Turns successive observations of one execution into events. */
class Changes {
  /** `seq` of the last log line delivered. */
  after: number
  readonly #clock: Clock
  #previous: Execution | undefined
  #count = 0

  constructor(clock: Clock, after: number) {
    this.#clock = clock
    this.after = after
  }

  /** What is new: steps and log lines first, so that the final status comes last. */
  since({execution, lines}: Observation): ExecutionEvent[] {
    const events = [...this.#steps(execution), ...this.#logs(lines), ...this.#status(execution)]
    this.#previous = execution
    return events
  }

  #steps({steps = []}: Execution): ExecutionEvent[] {
    const changed = steps.filter((step, index) => !same(step, this.#previous?.steps?.[index]))
    return changed.map((step) => ({type: 'step', id: this.#nextId(), step}))
  }

  #logs(lines: readonly LogLine[]): ExecutionEvent[] {
    const time = new Date(this.#clock.now()).toISOString()
    this.after = lines.at(-1)?.seq ?? this.after
    return lines.map((line) => ({type: 'log', id: this.#nextId(), log: {time, ...line}}))
  }

  #status(found: Execution): ExecutionEvent[] {
    const previous = this.#previous
    const unchanged =
      previous?.status === found.status &&
      previous.current_step === found.current_step &&
      previous.steps_completed === found.steps_completed
    return unchanged ? [] : [{type: 'status', id: this.#nextId(), execution: found}]
  }

  #nextId(): string {
    return String(++this.#count)
  }
}

function same(a: object, b: object | undefined): boolean {
  return b !== undefined && JSON.stringify(a) === JSON.stringify(b)
}
