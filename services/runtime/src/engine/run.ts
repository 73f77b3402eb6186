import {DBOS, Error as DBOSErrors} from '@dbos-inc/dbos-sdk'
import type pg from 'pg'
import {ExecutionStopped, type Durable} from './engine.ts'
import {patiently} from '../store/patience.ts'
import type {Peers} from './peers.ts'
import {waitFor} from './timing.ts'

/** How the engine stops: first nothing new begins, then what still works is cut off and leaves no record. */
export interface Halt {
  readonly draining: AbortSignal
  readonly abandoned: AbortSignal
  /** Handlers at work. */
  readonly working: Set<Promise<unknown>>
}

export interface RunOptions {
  readonly executionId: string
  readonly recovered: boolean
  readonly halt: Halt
  readonly pool: pg.Pool
  /** Other processes may cancel this execution or carry it on, which only the database can tell. */
  readonly peers: Pick<Peers, 'owns'> | undefined
}

/** One execution inside a DBOS workflow. */
export class DbosRun implements Durable {
  readonly executionId: string
  readonly recovered: boolean
  /** Resolves when this process will do nothing more for the execution. */
  readonly settled: Promise<void>
  readonly settle: () => void
  readonly #halt: Halt
  readonly #pool: pg.Pool
  readonly #peers: RunOptions['peers']
  readonly #cancel = new AbortController()
  readonly #supersede = new AbortController()

  constructor({executionId, recovered, halt, pool, peers}: RunOptions) {
    this.executionId = executionId
    this.recovered = recovered
    this.#halt = halt
    this.#pool = pool
    this.#peers = peers
    const {promise, resolve} = Promise.withResolvers<void>()
    this.settled = promise
    this.settle = resolve
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal
  }

  get superseded(): AbortSignal {
    return this.#supersede.signal
  }

  /** Another process may have the execution now: what runs is stopped and leaves no record. */
  supersede(): void {
    this.#supersede.abort(new ExecutionStopped('superseded', this.conflict()))
  }

  /** What the engine itself throws: it then waits for the one that has the execution. */
  conflict(): Error {
    return new DBOSErrors.DBOSWorkflowConflictError(this.executionId)
  }

  /** Not asked of the engine: in the middle of an execution it would record the answer as a step of that one. */
  async #status(): Promise<string | undefined> {
    const {rows} = await this.#pool.query<{status: string}>(
      'select status from dbos.workflow_status where workflow_uuid = $1',
      [this.executionId],
    )
    return rows[0]?.status
  }

  /** False when another process has the execution, or somebody cancelled it. Waits for the database. */
  async isOwned(): Promise<boolean> {
    const peers = this.#peers
    if (!peers || this.superseded.aborted) return !this.superseded.aborted
    return patiently(() => peers.owns(this.executionId), this.superseded).catch((error: unknown) => {
      if (this.superseded.aborted) return false
      throw error
    })
  }

  cancel(): void {
    this.#cancel.abort(new ExecutionStopped('cancelled'))
  }

  async step<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#halt.draining.aborted) return this.park()
    try {
      const result = await DBOS.runStep(() => this.#work(work), {name})
      if (!this.cancelled.aborted) return result
    } catch (error) {
      if (this.#halt.abandoned.aborted) return this.park()
      throw await this.#stopOf(error)
    }
    throw new ExecutionStopped('cancelled')
  }

  async pause(name: string, milliseconds: number): Promise<void> {
    const until = await this.step(name, () => Promise.resolve(Date.now() + milliseconds))
    const signal = AbortSignal.any([this.cancelled, this.superseded, this.#halt.draining])
    // A wall clock that was set back does not make the pause longer than it was meant to be.
    const latest = performance.now() + milliseconds
    const left = (): number => Math.min(until - Date.now(), latest - performance.now())
    while (left() > 0 && !signal.aborted) await waitFor(left(), signal)
    if (this.cancelled.aborted) throw new ExecutionStopped('cancelled')
    this.superseded.throwIfAborted()
    if (this.#halt.draining.aborted) return this.park()
  }

  /** Never returns: the process is going, and the next one takes the execution up where its records end. */
  park(): Promise<never> {
    this.settle()
    return new Promise<never>(() => {})
  }

  async #work<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (!(await this.isOwned())) throw this.conflict()
    const elsewhere = this.#peers ? DBOS.stepStatus?.cancelSignal : undefined
    const signals = [this.cancelled, this.superseded, this.#halt.abandoned, ...(elsewhere ? [elsewhere] : [])]
    const working = work(AbortSignal.any(signals))
    this.#halt.working.add(working)
    let result: T
    try {
      result = await working
    } finally {
      this.#halt.working.delete(working)
      // A step that was cut off by a shutdown must leave no record, or it would not run again.
      if (this.#halt.abandoned.aborted) await this.park()
    }
    // Nor one that was cut off because somebody else may run it.
    if (this.superseded.aborted) throw this.conflict()
    return result
  }

  /** A cancel takes the execution away from its run, so DBOS may call it a conflict as well. */
  async #stopOf(error: unknown): Promise<unknown> {
    if (this.superseded.aborted) return this.superseded.reason
    const isConflict = error instanceof DBOSErrors.DBOSWorkflowConflictError
    if (!isConflict && !(error instanceof DBOSErrors.DBOSWorkflowCancelledError)) return error
    if (!isConflict || this.cancelled.aborted) return new ExecutionStopped('cancelled', error)
    const status = await patiently(() => this.#status(), this.superseded)
    return new ExecutionStopped(status === 'CANCELLED' ? 'cancelled' : 'superseded', error)
  }
}
