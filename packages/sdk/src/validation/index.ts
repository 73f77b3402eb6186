export {findingLines, placeOf} from './findings.ts'
export {addJobSummary, isReportFormat, REPORT_FORMATS, type ReportFormat, reportView} from './formats/index.ts'
export {
  active,
  type FileReport,
  type PackageSummary,
  type PolicySummary,
  type SignatureSummary,
  summarize,
  type ValidationReport,
} from './report.ts'
export {type ValidateOptions, validateFiles} from './validate-files.ts'
