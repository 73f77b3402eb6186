import type {ErrorReport} from '../errors.ts'
import {createEnvelope} from './envelope.ts'
import {isStructured} from './format.ts'
import {type Style, oneLine, printable} from './style.ts'

interface ReportedFinding {
  message: string
  rule?: string
  position?: {line: number; column: number}
}

/** An error as human text: what failed, the server's own words, every finding, what to do next; verbose, where its code is explained. */
export function failureText(report: ErrorReport, style: Style, verbose = false): string {
  const {code, message, hint, details} = report
  const findings = (details?.['findings'] ?? []) as readonly ReportedFinding[]
  const detail = details?.['detail']
  return [
    `${style.bad('[ERROR]')} ${code === 'USAGE' ? printable(message) : oneLine(message)}`,
    ...(typeof detail === 'string' && detail !== '' ? [`  Error: ${printable(detail)}`] : []),
    ...findings.map((finding) => `  - ${printable(finding.message)}${placeOf(finding)}`),
    ...(hint === undefined ? [] : [`${style.faint('hint:')} ${printable(hint)}`]),
    ...(verbose
      ? [`${style.faint('code:')} ${printable(code)}, exit ${report.exit} (atomctl explain ${printable(code)})`]
      : []),
  ].join('\n')
}

function placeOf({position, rule}: ReportedFinding): string {
  const parts = [position ? `${position.line}:${position.column}` : '', rule ?? ''].filter(Boolean)
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}

/** The envelope of a command that failed without a result, or undefined where the format is for people. */
export async function failureEnvelope(
  report: ErrorReport,
  format: string,
  warnings: readonly string[],
): Promise<string | undefined> {
  if (!isStructured(format)) return undefined
  const envelope = createEnvelope('Error', null, warnings, report)
  if (format === 'ndjson') return JSON.stringify(envelope)
  if (format === 'json') return JSON.stringify(envelope, undefined, 2)
  const {stringifyYaml} = await import('@atomctl/wpk/document')
  return stringifyYaml(JSON.parse(JSON.stringify(envelope))).trimEnd()
}
