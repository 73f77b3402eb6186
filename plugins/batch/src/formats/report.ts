import {oneLine, renderTable, type Style, type View} from '@atomctl/sdk/output'
import type {BatchItem, BatchReport} from '../item.ts'

/** Beyond so many packages, those that went well are only counted. */
const LISTED = 50

export const batchView: View<BatchReport> = {
  kind: 'BatchReport',
  text: (report, style) => {
    const {items} = report
    return render(report, items.length > LISTED ? items.filter(isNotable) : items, style)
  },
  wide: (report, style) => render(report, report.items, style),
  names: ({items}) => items.filter(({status}) => status === 'ok').map(({id, subject}) => id ?? subject),
  items: ({items}) => items,
}

function isNotable({status}: BatchItem): boolean {
  return status === 'failed' || status === 'waiting'
}

function render(report: BatchReport, listed: readonly BatchItem[], style: Style): string {
  const rows = listed.map((item) => [item.status, oneLine(item.subject), item.id ?? '', oneLine(remarkOf(item))])
  const table = rows.length === 0 ? [] : [renderTable(['STATUS', 'PACKAGE', 'ID', 'NOTE'], rows), '']
  return [...table, ...hints(report), headline(report, style)].join('\n')
}

/** What there is to say about a package, in one line. */
export function remarkOf({error, note = ''}: BatchItem): string {
  return error ? `${error.message} (${error.code})` : note
}

/** Each different hint once. */
function hints({items}: BatchReport): string[] {
  const found = items.flatMap(({error}) => (error?.hint === undefined ? [] : [error.hint]))
  const distinct = [...new Set(found)].slice(0, 3)
  return distinct.length === 0 ? [] : [...distinct.map((hint) => `hint: ${oneLine(hint)}`), '']
}

function headline({operation, totals, duration}: BatchReport, style: Style): string {
  const good = totals.failed === 0 && totals.not_run === 0
  const label = !good ? style.bad('[ERROR]') : totals.waiting > 0 ? style.warning('[PENDING]') : style.good('[SUCCESS]')
  return `${label} batch ${operation}: ${countsOf(totals)} in ${(duration / 1000).toFixed(1)} s`
}

export function countsOf({ok, failed, waiting, skipped, not_run: left}: BatchReport['totals']): string {
  const rest = [
    ...(waiting > 0 ? [`${waiting} waiting for approval`] : []),
    ...(skipped > 0 ? [`${skipped} done before`] : []),
    ...(left > 0 ? [`${left} not begun`] : []),
  ]
  return [`${ok} ok`, `${failed} failed`, ...rest].join(', ')
}
