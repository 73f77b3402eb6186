import {escapeXml} from '@atomctl/sdk/validation'
import type {BatchItem, BatchReport} from '../item.ts'
import {remarkOf} from './report.ts'

/** JUnit XML: one test case for each package, with its seconds. */
export function renderJunit({operation, items, totals, duration}: BatchReport): string {
  const {items: tests, failed, skipped, not_run: left} = totals
  const counts = `tests="${tests}" failures="${failed}" errors="0" skipped="${skipped + left}" time="${seconds(duration)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="atomctl" ${counts}>`,
    `  <testsuite name="atomctl batch ${operation}" ${counts}>`,
    ...items.flatMap((item) => testCase(item, operation)),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')
}

function testCase(item: BatchItem, operation: string): string[] {
  const {subject, status, duration} = item
  const name = escapeXml(subject)
  const open = `    <testcase classname="atomctl.batch.${operation}" name="${name}" time="${seconds(duration)}"`
  if (status === 'ok') return [`${open}/>`]
  return [`${open}>`, `      ${outcomeOf(item)}`, '    </testcase>']
}

function outcomeOf(item: BatchItem): string {
  const {status, error, findings = []} = item
  if (status !== 'failed') {
    return `<skipped message="${status === 'skipped' ? 'done before' : 'not begun'}"/>`
  }
  const lines = findings.map(
    ({message, rule, position}) => `${position ? `${position.line}:${position.column} ` : ''}${rule}: ${message}`,
  )
  const text = escapeXml([...lines, ...(error?.hint === undefined ? [] : [`hint: ${error.hint}`])].join('\n'))
  return `<failure type="${escapeXml(error?.code ?? '')}" message="${escapeXml(remarkOf(item))}">${text}</failure>`
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}
