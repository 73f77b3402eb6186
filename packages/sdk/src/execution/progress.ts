import type {ExecutionEvent, StepState} from '@atomctl/protocol/runtime'
import {printable} from '../output/index.ts'
import {awaitedApproval, describeWaiting} from './waiting.ts'

const HEARTBEAT = 30_000

/** Takes one line for the person who waits. */
export type ProgressLine = (line: string) => void

/** Turns events into lines: every step as it starts and ends, output as it comes, a sign of life every 30 s. */
export function createProgress(line: ProgressLine): {show(event: ExecutionEvent): void; stop(): void} {
  const started = Date.now()
  const shown = new Map<string, string>()
  let status = ''
  const heartbeat = setInterval(() => {
    line(`… still ${status || 'waiting'} after ${Math.round((Date.now() - started) / 1000)} s`)
  }, HEARTBEAT)
  return {
    show(event) {
      heartbeat.refresh()
      if (event.type === 'status') status = event.execution.status
      const text = describe(event, shown)
      if (text !== undefined) line(text)
    },
    stop: () => clearInterval(heartbeat),
  }
}

function describe(event: ExecutionEvent, shown: Map<string, string>): string | undefined {
  if (event.type === 'log') return event.log.stream === 'system' ? undefined : `  ${printable(event.log.text)}`
  if (event.type === 'step') return describeStep(event.step, shown)
  const approval = awaitedApproval(event.execution)
  if (approval) return describeWaiting(event.execution, approval)
  const {current_step: step, steps_completed: completed = 0, total_steps: total = 0, steps} = event.execution
  if (steps || !step || shown.get(step)) return undefined
  shown.set(step, 'running')
  return `→ ${printable(step)} (${Math.min(completed + 1, total)}/${total})`
}

const MARKS: Readonly<Record<StepState['status'], string>> = {
  pending: '·',
  running: '→',
  completed: '✓',
  failed: '✗',
  skipped: '-',
  cancelled: '✗',
}

function describeStep(step: StepState, shown: Map<string, string>): string | undefined {
  const state = `${step.status}/${step.attempt}`
  if (step.status === 'pending' || shown.get(step.name) === state) return undefined
  shown.set(step.name, state)
  const attempt = step.attempt > 1 ? ` (attempt ${step.attempt})` : ''
  return `${MARKS[step.status]} ${printable(step.name)} ${step.status}${attempt}${step.error ? `: ${printable(step.error)}` : ''}`
}
