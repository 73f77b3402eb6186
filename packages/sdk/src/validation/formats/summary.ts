import {appendFile} from 'node:fs/promises'
import {AtomError} from '../../errors.ts'
import {placeOf} from '../findings.ts'
import {active, type FileReport, type ValidationReport} from '../report.ts'

/** GitHub refuses a step's summary over 1 MiB whole; this leaves room for what other commands of the step write. */
const LARGEST = 900_000

/** The report as a job summary: the totals, a table of the files, and every finding. GitHub-flavoured Markdown. */
export function renderSummary({files, totals}: ValidationReport): string {
  const verdict = totals.invalid === 0 ? 'passed' : `failed for ${totals.invalid} of ${totals.files} files`
  const counts = `${totals.files} files, ${totals.errors} errors, ${totals.warnings} warnings.`
  const rows = files.flatMap(findingRows)
  const table = ['| | file | rule | finding |', '| --- | --- | --- | --- |', ...rows]
  return `${[`## Validation of workflow packages ${verdict}`, '', counts, ...(rows.length === 0 ? [] : ['', ...cut(table)])].join('\n')}\n`
}

/** Adds the summary to the file that GITHUB_STEP_SUMMARY names. @throws OUTPUT_FAILED */
export async function writeSummary(report: ValidationReport, path: string): Promise<void> {
  try {
    await appendFile(path, renderSummary(report))
  } catch (cause) {
    throw new AtomError('OUTPUT_FAILED', `the job summary ${path} cannot be written`, {cause})
  }
}

function findingRows({file, findings}: FileReport): string[] {
  return [...active(findings, 'error'), ...active(findings, 'warning')].map((finding) => {
    const {severity, rule, message, suggestion} = finding
    const text = suggestion === undefined ? message : `${message} ${suggestion}`
    return `| ${severity} | ${cell(placeOf(finding, file))} | ${cell(rule)} | ${cell(text)} |`
  })
}

/** Findings quote packages, which are not trusted: no markup of theirs is to become markup here. */
function cell(text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return plain.replaceAll(/[\\`*_{}[\]()#!|~>@]/g, '\\$&')
}

function cut(lines: readonly string[]): string[] {
  let left = LARGEST
  const kept = lines.filter((line) => (left -= Buffer.byteLength(line) + 1) > 0)
  return kept.length === lines.length
    ? kept
    : [...kept, '', `${lines.length - kept.length} more findings are left out.`]
}
