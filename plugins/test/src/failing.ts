import type {JsonObject} from '@atomctl/protocol/values'
import type {Mocked, Rehearsal, RehearsalRequest} from '@atomctl/runtime/rehearsal'
import type {WpkDocument} from '@atomctl/wpk/document'

/** A case nobody wrote: the package as in a case that completes, but one step fails at every attempt. */
export interface FailingCase {
  readonly name: string
  readonly step: string
  readonly request: RehearsalRequest
}

const FAILURE: Mocked = {status: 'error', error: 'made to fail by --fail-each-step'}

/** One case for each handler that did something in `base`. Rollback handlers without a mock succeed. */
export function failEachStep(request: RehearsalRequest, base: Rehearsal, subject: WpkDocument): FailingCase[] {
  const undoing = new Map((subject.wpk.spec.rollback?.handlers ?? []).map((handler) => [handler.name, handler]))
  const acted = new Set(base.calls.map(({step}) => step))
  const ran = base.steps.filter(({phase, name}) => phase === 'handler' && acted.has(name))
  return ran.map(({name: step}) => ({
    name: `fails at ${step} and undoes what completed`,
    step,
    request: {
      ...request,
      script: (name, attempt) => {
        if (name === step) return FAILURE
        return request.script(name, attempt) ?? (undoing.has(name) ? successOf(undoing.get(name)?.outputs) : undefined)
      },
    },
  }))
}

function successOf(outputs: unknown): Mocked {
  const names = Object.keys((outputs ?? {}) as JsonObject)
  return names.length === 0 ? {} : {outputs: Object.fromEntries(names.map((name) => [name, 'x']))}
}

/** What is wrong with how the package takes back what it did; independent of the code that decides it. */
export function undoProblems({step}: FailingCase, rehearsal: Rehearsal, {wpk}: WpkDocument): string[] {
  const {handlers, rollback} = wpk.spec
  const done = rehearsal.steps.filter(({phase, status}) => phase === 'handler' && status === 'completed')
  const completed = done.map(({name}) => name)
  const undone = rehearsal.steps.filter(({phase}) => phase === 'rollback').map(({name}) => name)
  const declared = rollback?.enabled === true ? (rollback.handlers ?? []) : []
  const target = (name: string): string | undefined => declared.find((handler) => handler.name === name)?.undoes
  const late = completed.filter((name) => indexOf(handlers, name) > indexOf(handlers, step))
  const missing = declared.filter(
    ({name, undoes}) => (undoes === undefined || completed.includes(undoes)) && !undone.includes(name),
  )
  const early = undone.filter((name) => target(name) !== undefined && !completed.includes(target(name) ?? ''))
  const turned = undone.map(target).map((name) => (name === undefined ? -1 : completed.indexOf(name)))
  return [
    ...(rehearsal.unmocked === null ? [] : [`${rehearsal.unmocked} was reached and has no mock`]),
    ...statusProblem(rehearsal, undone),
    ...late.map((name) => `${name} ran after ${step} had failed`),
    ...missing.map(({name}) => `${name} did not run`),
    ...early.map((name) => `${name} ran, although ${target(name)} did not complete`),
    ...(turned.every((at, index) => index === 0 || at <= (turned[index - 1] ?? at))
      ? []
      : [`undone in the wrong order: ${undone.join(' → ')}`]),
  ]
}

function statusProblem({status, message}: Rehearsal, undone: readonly string[]): string[] {
  const expected = undone.length > 0 ? 'rolled_back' : 'failed'
  return status === expected ? [] : [`expected status ${expected}, got ${status}: ${message ?? ''}`]
}

function indexOf(handlers: readonly {readonly name: string}[], name: string): number {
  return handlers.findIndex((handler) => handler.name === name)
}
