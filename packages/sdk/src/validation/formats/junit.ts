import {type JunitCase, junitElement, renderJunit as renderSuites} from '../../junit/index.ts'
import {createStyle} from '../../output/index.ts'
import {findingLines} from '../findings.ts'
import {active, type FileReport, type ValidationReport} from '../report.ts'

/** JUnit XML: one test case per file, its findings as the failure. */
export function renderJunit({files}: ValidationReport): string {
  return renderSuites([{name: 'atomctl validate', cases: files.map(caseOf)}])
}

function caseOf(report: FileReport): JunitCase {
  const {file, valid, findings} = report
  const style = createStyle(false)
  const lines = [...active(findings, 'error'), ...active(findings, 'warning')]
  const text = lines.flatMap((finding) => findingLines(finding, file, style)).join('\n')
  const common = {classname: 'atomctl.validate', name: file}
  if (valid) return {...common, outcome: 'passed', elements: text === '' ? [] : [junitElement('system-out', {}, text)]}
  const message = lines[0]?.message ?? 'the security policy blocks it'
  return {...common, outcome: 'failed', elements: [junitElement('failure', {message}, text)]}
}
