import type {Finding, Severity} from '@atomctl/wpk/document'
import type {ValidationReport} from '../report.ts'

const COMMANDS: Readonly<Record<Severity, string>> = {error: 'error', warning: 'warning', info: 'notice'}

/** GitHub Actions workflow commands: each finding as an annotation at its line. */
export function renderGithub({files}: ValidationReport): string {
  return files
    .flatMap(({file, findings}) => findings.filter(isActive).map((finding) => annotate(finding, file)))
    .join('\n')
}

function isActive({suppressed}: Finding): boolean {
  return suppressed === undefined
}

function annotate({rule, severity, message, position, suggestion}: Finding, file: string): string {
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
