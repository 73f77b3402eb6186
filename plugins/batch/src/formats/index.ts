import {FORMATS, type View} from '@atomctl/sdk/output'
import {reportView, summarize} from '@atomctl/sdk/validation'
import type {Finding} from '@atomctl/wpk/document'
import type {BatchItem, BatchReport} from '../item.ts'
import {renderJunit} from './junit.ts'
import {renderMarkdown} from './markdown.ts'
import {batchView} from './report.ts'

/** What CI systems read, beside the formats every command has. */
export const BATCH_FORMATS = [...FORMATS, 'junit', 'sarif', 'markdown'] as const

/** The view of a batch report in the format asked for. */
export async function viewOf(format: string | undefined, version: string): Promise<View<BatchReport>> {
  if (format === 'junit') return {kind: batchView.kind, text: renderJunit}
  if (format === 'markdown') return {kind: batchView.kind, text: renderMarkdown}
  if (format !== 'sarif') return batchView
  const sarif = await reportView('sarif', version)
  return {kind: batchView.kind, text: (report, style) => sarif.text(asValidation(report), style)}
}

function asValidation({items}: BatchReport): ReturnType<typeof summarize> {
  return summarize(
    items.map((item) => ({file: item.subject, valid: item.status !== 'failed', findings: findingsOf(item)})),
  )
}

/** A failure that comes without findings is one itself. */
function findingsOf({error, findings = []}: BatchItem): readonly Finding[] {
  if (!error || findings.some(({severity}) => severity === 'error')) return findings
  return [...findings, {rule: error.code.toLowerCase(), severity: 'error', message: error.message, path: ''}]
}
