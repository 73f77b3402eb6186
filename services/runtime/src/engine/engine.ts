/**
 * What the interpreter sees of the durable engine. Everything an execution does to the world happens inside
 * `step`; the code between steps must be deterministic, because after a crash it runs again from the beginning
 * while finished steps only answer their recorded result.
 */
export interface Durable {
  readonly executionId: string
  /** True when this process found the execution unfinished at its start. */
  readonly recovered: boolean
  /** Aborts when the execution is cancelled. */
  readonly cancelled: AbortSignal
  /** Aborts when another process may carry the execution on: nothing must be done or written for it here any more. */
  readonly superseded: AbortSignal
  /**
   * Runs `work` at most once to its end and records what it returns. `work` may run again if the process dies
   * before the record is written, so the effects carry an idempotency key. Results must hold no secret.
   */
  step<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Waits until `milliseconds` after the first time this name was reached; a restart does not start over. */
  pause(name: string, milliseconds: number): Promise<void>
}

/** Thrown by `step` and `pause` when this process must let go of the execution; never caught to go on. */
export class ExecutionStopped extends Error {
  readonly reason: 'cancelled' | 'superseded'
  /** What the engine itself threw. */
  readonly origin: Error | undefined

  constructor(reason: 'cancelled' | 'superseded', origin?: Error) {
    super(`execution ${reason}`, origin && {cause: origin})
    this.name = 'ExecutionStopped'
    this.reason = reason
    this.origin = origin
  }
}

/** One execution from its first to its last step; resolves when the outcome is written. */
export type Run = (durable: Durable) => Promise<void>

/** Called when an execution ended without its run saying so: cancelled, or lost by the engine. */
export type OnLost = (executionId: string, outcome: 'cancelled' | 'failed', message: string) => Promise<void>

export type RunState = 'active' | 'cancelled' | 'ended'

export interface Engine {
  /** Begins to run; recovers what an earlier process left unfinished. */
  launch(run: Run, onLost: OnLost): Promise<void>
  /** Starts an execution that is already stored; starting one twice is one execution. */
  start(executionId: string): Promise<void>
  cancel(executionId: string): Promise<void>
  /** What the engine knows of an execution; undefined when it was never started. */
  state(executionId: string): Promise<RunState | undefined>
  /** The same of many; those never started are missing. */
  states(executionIds: readonly string[]): Promise<ReadonlyMap<string, RunState>>
  /** Forgets finished executions. */
  forget(executionIds: readonly string[]): Promise<void>
  /** Waits up to `drainMs` for running executions, then stops them and leaves them to the next start. */
  close(drainMs: number): Promise<void>
}
