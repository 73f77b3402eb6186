import type {ExecutionStatus, RollbackState, StepState} from '@atomctl/protocol/runtime'
import type {HandlerSpec} from '../program.ts'
import type {Closing, Finished, Phase, Progress} from '../progress.ts'
import type {RehearsalClock} from './clock.ts'

/** A step that was reached, in the order in which steps were. */
export interface RehearsedStep {
  readonly phase: Phase
  readonly position: number
  readonly name: string
  readonly status: StepState['status']
  readonly attempts: number
  readonly error: string | null
  readonly output: string | null
  readonly outputs: Readonly<Record<string, string>>
}

export interface RehearsedLine {
  /** ISO 8601, by the clock of the rehearsal. */
  readonly time: string
  readonly step: string | null
  readonly stream: 'stdout' | 'stderr' | 'system'
  readonly text: string
}

export interface Ending {
  readonly status: ExecutionStatus
  readonly message: string | null
  readonly rollback: RollbackState['status'] | undefined
  readonly code: Closing['code']
}

/** Progress in memory; everything in it was said as a runtime would say it to its database. */
export class RehearsedProgress implements Progress {
  readonly lines: RehearsedLine[] = []
  readonly #steps = new Map<string, RehearsedStep>()
  readonly #names: Readonly<Record<Phase, string[]>>
  readonly #clock: RehearsalClock
  ending: Ending | undefined

  constructor(handlers: readonly HandlerSpec[], clock: RehearsalClock) {
    this.#names = {handler: handlers.map(({name}) => name), rollback: []}
    this.#clock = clock
  }

  get steps(): RehearsedStep[] {
    return [...this.#steps.values()]
  }

  log(step: string | null, stream: RehearsedLine['stream'], text: string): void {
    this.lines.push({time: this.#clock.now.toISOString(), step, stream, text})
  }

  async flush(): Promise<void> {}

  async begin(): Promise<void> {}

  async plan(phase: Phase, handlers: readonly HandlerSpec[], line: string): Promise<void> {
    this.#names[phase].push(...handlers.map(({name}) => name))
    this.#say(line)
  }

  async startStep(phase: Phase, position: number, attempt: number): Promise<void> {
    this.#set(phase, position, {status: 'running', attempts: attempt})
  }

  async finishStep(phase: Phase, position: number, finished: Finished, line?: string): Promise<void> {
    const {status, error, output, outputs = {}} = finished
    this.#set(phase, position, {status, error, output, outputs})
    this.#say(line)
  }

  async finish(
    status: ExecutionStatus,
    message: string | null,
    {line, rollback, code}: Closing = {},
  ): Promise<boolean> {
    if (this.ending) return false
    this.ending = {status, message, rollback, code}
    this.#say(line)
    return true
  }

  #set(phase: Phase, position: number, change: Partial<RehearsedStep>): void {
    const key = `${phase} ${position}`
    const name = this.#names[phase][position] ?? key
    const blank = {
      phase,
      position,
      name,
      status: 'pending' as const,
      attempts: 0,
      error: null,
      output: null,
      outputs: {},
    }
    this.#steps.set(key, {...(this.#steps.get(key) ?? blank), ...change})
  }

  #say(line: string | undefined): void {
    if (line !== undefined) this.log(null, 'system', line)
  }
}
