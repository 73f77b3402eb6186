import {oneLine} from '@atomctl/sdk/output'
import type {BatchReport} from '../item.ts'
import {countsOf, remarkOf} from './report.ts'

/** Rows of a job summary: more than this nobody reads there, and services cut it off. */
const ROWS = 200

/** Markdown for a job summary or a comment: the counts, then what failed or waits. */
export function renderMarkdown({operation, items, totals, duration}: BatchReport): string {
  const failed = items.filter(({status}) => status === 'failed' || status === 'waiting')
  const rows = failed
    .slice(0, ROWS)
    .map((item) => `| ${cell(item.subject)} | ${item.error?.code ?? ''} | ${cell(remarkOf(item))} |`)
  const rest = failed.length - rows.length
  return [
    `## atomctl batch ${operation}`,
    '',
    `${totals.items} packages: ${countsOf(totals)} in ${(duration / 1000).toFixed(1)} s`,
    ...(rows.length === 0 ? [] : ['', '| package | code | reason |', '|---|---|---|', ...rows]),
    ...(rest > 0 ? ['', `… and ${rest} more`] : []),
  ].join('\n')
}

/** Text in a table cell that neither ends the cell nor becomes markup. */
function cell(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]<>|#!&~@]/g, (character) => `&#${character.charCodeAt(0)};`)
}
