import type {ExecutionStatus, RollbackState, StepState} from '@atomctl/protocol/runtime'
import type {ErrorCode} from './handlers/handler.ts'
import type {HandlerSpec} from './program.ts'

export type Phase = 'handler' | 'rollback'

export interface Finished {
  readonly status: StepState['status']
  readonly exit_code: number | null
  readonly http_status: number | null
  readonly error: string | null
  /** Bounded. */
  readonly output: string | null
  /** What later handlers may use. */
  readonly outputs?: Readonly<Record<string, string>>
}

/** What else is said of an end. */
export interface Closing {
  /** Logged with it. */
  readonly line?: string
  /** How undoing ended, if there was any. */
  readonly rollback?: RollbackState['status']
  /** Of what made the execution fail, where it has one. */
  readonly code?: ErrorCode | undefined
}

/** Where the interpreter says what happens. Saying the same again, after a crash, changes nothing. */
export interface Progress {
  log(step: string | null, stream: 'stdout' | 'stderr' | 'system', text: string): void
  /** Resolves when everything logged so far is written: a step's lines come before the record that it ended. */
  flush(): Promise<void>
  begin(): Promise<void>
  /** Announces the steps of a phase that only now turned out to be needed; `line` is logged with it. */
  plan(phase: Phase, handlers: readonly HandlerSpec[], line: string): Promise<void>
  startStep(phase: Phase, position: number, attempt: number): Promise<void>
  /** `line` is the log line that goes with it. */
  finishStep(phase: Phase, position: number, finished: Finished, line?: string): Promise<void>
  /** False when the execution had ended already. */
  finish(status: ExecutionStatus, message: string | null, closing?: Closing): Promise<boolean>
}
