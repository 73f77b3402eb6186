import {findingLines} from '../findings.ts'
import {createStyle} from '../../output/index.ts'
import {escapeXml} from './xml.ts'
import {active, type FileReport, type ValidationReport} from '../report.ts'

/** JUnit XML: one test case per file, its findings as the failure. */
export function renderJunit({files, totals}: ValidationReport): string {
  const counts = `tests="${files.length}" failures="${totals.invalid}" errors="0"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="atomctl" ${counts}>`,
    `  <testsuite name="atomctl validate" ${counts}>`,
    ...files.flatMap(testCase),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')
}

function testCase(report: FileReport): string[] {
  const {file, valid, findings} = report
  const open = `    <testcase classname="atomctl.validate" name="${escapeXml(file)}"`
  const style = createStyle(false)
  const lines = [...active(findings, 'error'), ...active(findings, 'warning')]
  const text = escapeXml(lines.flatMap((finding) => findingLines(finding, file, style)).join('\n'))
  if (valid)
    return text === '' ? [`${open}/>`] : [`${open}>`, `      <system-out>${text}</system-out>`, '    </testcase>']
  const message = escapeXml(lines[0]?.message ?? 'the security policy blocks it')
  return [`${open}>`, `      <failure message="${message}">${text}</failure>`, '    </testcase>']
}
