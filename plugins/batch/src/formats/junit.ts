import {type JunitCase, junitElement, renderJunit as renderSuites} from '@atomctl/sdk/junit'
import type {BatchItem, BatchReport} from '../item.ts'
import {remarkOf} from './report.ts'

/** JUnit XML: one test case for each package, with its seconds. */
export function renderJunit({operation, items, duration: milliseconds}: BatchReport): string {
  const cases = items.map((item) => caseOf(item, operation))
  return renderSuites([{name: `atomctl batch ${operation}`, cases, milliseconds}], {milliseconds})
}

function caseOf(item: BatchItem, operation: string): JunitCase {
  const {subject: name, status, duration: milliseconds} = item
  const common = {classname: `atomctl.batch.${operation}`, name, milliseconds}
  if (status === 'ok') return {...common, outcome: 'passed'}
  return {...common, outcome: status === 'failed' ? 'failed' : 'skipped', elements: [outcomeOf(item)]}
}

function outcomeOf(item: BatchItem): string {
  const {status, error, findings = []} = item
  if (status !== 'failed') return junitElement('skipped', {message: reasonOf(item)})
  const lines = findings.map(
    ({message, rule, position}) => `${position ? `${position.line}:${position.column} ` : ''}${rule}: ${message}`,
  )
  const text = [...lines, ...(error?.hint === undefined ? [] : [`hint: ${error.hint}`])].join('\n')
  return junitElement('failure', {type: error?.code ?? '', message: remarkOf(item)}, text)
}

function reasonOf(item: BatchItem): string {
  if (item.status === 'waiting') return remarkOf(item)
  return item.status === 'skipped' ? 'done before' : 'not begun'
}
