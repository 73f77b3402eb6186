import type {View} from '../../output/index.ts'
import type {ValidationReport} from '../report.ts'

/** What CI systems read, beside the formats every command has. */
export const REPORT_FORMATS = ['sarif', 'junit', 'github'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]

export function isReportFormat(format: string | undefined): format is ReportFormat {
  return REPORT_FORMATS.some((known) => known === format)
}

/** The view that writes a validation report in a CI system's format. */
export async function reportView(format: ReportFormat, version: string): Promise<View<ValidationReport>> {
  const text = await rendererOf(format, version)
  return {kind: 'ValidationReport', text}
}

async function rendererOf(format: ReportFormat, version: string): Promise<(report: ValidationReport) => string> {
  if (format === 'github') return (await import('./github.ts')).renderGithub
  if (format === 'junit') return (await import('./junit.ts')).renderJunit
  const {renderSarif} = await import('./sarif.ts')
  return (report) => renderSarif(report, version)
}

/** What GitHub Actions shows on a job's page: added to the file that the runner names. @throws OUTPUT_FAILED */
export async function addJobSummary(report: ValidationReport, path: string): Promise<void> {
  const {writeSummary} = await import('./summary.ts')
  await writeSummary(report, path)
}
