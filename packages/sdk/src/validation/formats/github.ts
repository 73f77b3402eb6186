import type {Finding, Severity} from '@atomctl/wpk/document'
import type {ValidationReport} from '../report.ts'

/** What one step shows of each kind; GitHub drops the rest without a word (actions/toolkit, "Annotations"). */
export const SHOWN = 10

const COMMANDS: Readonly<Record<Severity, string>> = {error: 'error', warning: 'warning', info: 'notice'}
const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info']

interface Placed {
  readonly file: string
  readonly finding: Finding
}

/**
 * GitHub Actions workflow commands: each finding as an annotation at its line, as many of each kind as GitHub shows. What
 * is left out is counted in a last line; the job summary has everything.
 */
export function renderGithub({files}: ValidationReport): string {
  const placed = files.flatMap(({file, findings}) => findings.filter(isActive).map((finding) => ({file, finding})))
  const bySeverity = SEVERITIES.map((severity) => placed.filter(({finding}) => finding.severity === severity))
  const left = bySeverity.reduce((sum, some) => sum + Math.max(0, some.length - SHOWN), 0)
  const shown = bySeverity.flatMap((some) => some.slice(0, SHOWN))
  const rest = left === 0 ? [] : [`${left} more findings: the job summary, or -o sarif, has all of them`]
  return [...shown.map(annotate), ...rest].join('\n')
}

function isActive({suppressed}: Finding): boolean {
  return suppressed === undefined
}

function annotate({file, finding: {rule, severity, message, position, suggestion}}: Placed): string {
  const place = position ? `,line=${position.line},col=${position.column}` : ''
  const text = suggestion === undefined ? message : `${message}\n${suggestion}`
  return `::${COMMANDS[severity]} file=${escapeProperty(file)}${place},title=${escapeProperty(rule)}::${escapeData(text)}`
}

// The runner decodes exactly these (actions/toolkit, command.ts).
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
