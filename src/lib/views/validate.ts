import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import type {Finding} from '@atomctl/wpk/document'
import {
  active,
  type FileReport,
  findingLines,
  type PackageSummary,
  type PolicySummary,
  type ValidationReport,
} from '@atomctl/sdk/validation'

/** One file: the seed's summary. Several: a line for each, what is wrong beneath it, and the totals. */
export const validateView: View<ValidationReport> = {
  kind: 'ValidationReport',
  text: (report, style) => render(report, style, false),
  wide: (report, style) => render(report, style, true),
  names: ({files}) =>
    files.flatMap(({valid, summary}) => (valid && summary ? [`${summary.name}-${summary.version}`] : [])),
  items: ({files}) => files,
}

function render(report: ValidationReport, style: Style, wide: boolean): string {
  const [only, second] = report.files
  return only && !second ? renderOne(only, style, wide) : renderMany(report, style, wide)
}

function renderOne(report: FileReport, style: Style, wide: boolean): string {
  return [
    ...fixedLines(report, style),
    ...(report.valid ? passedLines(report, style, wide) : failedLines(report, style)),
    ...noteLines(report, style, wide),
  ].join('\n')
}

function passedLines({file, summary, policy}: FileReport, style: Style, wide: boolean): string[] {
  return [
    `${style.good('[SUCCESS]')} WPK validation passed`,
    ...(summary ? ['', 'WPK Summary:', ...summaryLines(summary, file)] : []),
    ...(policy ? policyLines(policy, wide) : []),
  ]
}

function summaryLines(
  {name, version, author, runtime, safetyMode, handlers, signature}: PackageSummary,
  file: string,
): string[] {
  const signed = {
    unsigned: () => `NO (sign it: atomctl sign ${oneLine(file)})`,
    signed: () => `YES (key ${signature.state === 'signed' ? signature.fingerprint : ''})`,
    certified: () => `YES (by ${signature.state === 'certified' ? oneLine(signature.identity) : ''})`,
    cosigned: () => `YES (${signature.state === 'cosigned' ? signature.signers.map(signerText).join(', ') : ''})`,
    invalid: () => `INVALID (${signature.state === 'invalid' ? oneLine(signature.reason) : ''})`,
  }
  return [
    `  Name: ${name}`,
    `  Version: ${version}`,
    `  Author: ${oneLine(author)}`,
    `  Runtime: ${runtime}`,
    `  Safety Mode: ${safetyMode}`,
    `  Handlers: ${handlers}`,
    `  Signed: ${signed[signature.state]()}`,
  ]
}

function signerText(signer: {fingerprint: string} | {identity: string}): string {
  return 'fingerprint' in signer ? `key ${signer.fingerprint}` : `by ${oneLine(signer.identity)}`
}

function policyLines(policy: PolicySummary, wide: boolean): string[] {
  const approval = policy.approvalRequired ? ', approval required' : ''
  const brief = `  Policy: ${policy.decision} (risk ${policy.riskLevel}, score ${policy.score}${approval})`
  if (!wide) return [brief]
  return [
    brief,
    `  Can Execute: ${policy.canExecute ? 'yes' : 'no'}`,
    `  Complexity: ${policy.complexity}`,
    `  Automation: ${policy.automationLevel}`,
    `  Categories: ${policy.categories.join(', ') || '-'}`,
    `  Resources: ${policy.resourceTypes.join(', ') || '-'}`,
  ]
}

function failedLines(report: FileReport, style: Style): string[] {
  const {findings, policy, file} = report
  const errors = active(findings, 'error')
  const strict = errors.length === 0 && policy?.decision !== 'block'
  return [
    `${style.bad('[ERROR]')} Validation failed:`,
    ...errors.flatMap((finding) => findingLines(finding, file, style)),
    ...(policy?.decision === 'block' ? [`  - The security policy blocks it: risk score ${policy.score}`] : []),
    ...(strict ? ['  - Warnings count as errors (--strict)'] : []),
    ...(findings.some(({fix}) => fix)
      ? ['', `Quote what readers disagree on: atomctl validate --fix ${oneLine(file)}`]
      : []),
    ...(report.summary?.signature.state === 'invalid' ? summaryLines(report.summary, file).slice(-1) : []),
  ]
}

/** Warnings always; information and what was suppressed in the wide form. */
function noteLines({findings, file}: FileReport, style: Style, wide: boolean): string[] {
  const block = (title: string, notes: readonly Finding[]): string[] =>
    notes.length === 0 ? [] : ['', title, ...notes.flatMap((finding) => findingLines(finding, file, style))]
  return [
    ...block('Warnings:', active(findings, 'warning')),
    ...(wide ? block('Information:', active(findings, 'info')) : []),
    ...(wide
      ? block(
          'Suppressed:',
          findings.filter(({suppressed}) => suppressed !== undefined),
        )
      : []),
  ]
}

function fixedLines({fixed, file}: FileReport, style: Style): string[] {
  if (!fixed || fixed.length === 0) return []
  const title = `Fixed in ${oneLine(file)}:`
  return [title, ...fixed.flatMap((finding) => findingLines(finding, file, style)), '']
}

function renderMany({files, totals}: ValidationReport, style: Style, wide: boolean): string {
  const {invalid, errors, warnings} = totals
  const counts = `${errors} errors, ${warnings} warnings`
  const total =
    invalid === 0
      ? `${style.good('[SUCCESS]')} WPK validation passed: ${files.length} files, ${warnings} warnings`
      : `${style.bad('[ERROR]')} Validation failed: ${invalid} of ${files.length} files, ${counts}`
  return [...files.flatMap((report) => fileLines(report, style, wide)), '', total].join('\n')
}

function fileLines(report: FileReport, style: Style, wide: boolean): string[] {
  const {file, valid, summary, findings} = report
  const errors = active(findings, 'error')
  const warnings = active(findings, 'warning')
  const shown = [...errors, ...warnings, ...(wide ? active(findings, 'info') : [])]
  const label = valid ? style.good('[SUCCESS]') : style.bad('[ERROR]')
  const identity = summary ? `  ${summary.name} v${summary.version}` : ''
  return [
    ...(report.fixed ? fixedLines(report, style).slice(0, -1) : []),
    `${label} ${oneLine(file)}${identity}`,
    ...shown.flatMap((finding) => findingLines(finding, file, style)),
  ]
}
