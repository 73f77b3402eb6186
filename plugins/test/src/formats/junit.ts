import {type JunitCase, junitElement, type JunitSuite, renderJunit as renderSuites} from '@atomctl/sdk/junit'
import {createStyle} from '@atomctl/sdk/output'
import {findingLines, placeOf} from '@atomctl/sdk/validation'
import type {BrokenFile} from '../load.ts'
import type {CaseReport, FileReport, Problem, TestReport} from '../report.ts'

/** JUnit XML: a suite for each file; a file that cannot be run is a suite with one failed case. */
export function renderJunit({files, broken, duration: milliseconds}: TestReport): string {
  return renderSuites([...files.map(suiteOf), ...broken.map(brokenSuite)], {milliseconds})
}

function suiteOf({file, package: id, cases}: FileReport): JunitSuite {
  const milliseconds = cases.reduce((sum, {duration}) => sum + duration, 0)
  return {name: file, milliseconds, cases: cases.map((one) => caseOf(one, file, id))}
}

function caseOf({name, passed, problems, duration: milliseconds}: CaseReport, file: string, id: string): JunitCase {
  const common = {classname: `atomctl.test.${id}`, name, milliseconds}
  if (passed) return {...common, outcome: 'passed'}
  const message = problems[0]?.message ?? ''
  const text = problems.map((problem) => `${placeIn(problem, file)}${problem.message}`).join('\n')
  return {...common, outcome: 'failed', elements: [junitElement('failure', {message}, text)]}
}

function placeIn({position, path, message}: Problem, file: string): string {
  return position === undefined ? '' : `${placeOf({rule: '', severity: 'error', message, path, position}, file)} `
}

function brokenSuite({path, findings}: BrokenFile): JunitSuite {
  const errors = findings.filter(({severity}) => severity === 'error')
  const text = errors.flatMap((one) => findingLines(one, path, createStyle(false))).join('\n')
  const elements = [junitElement('failure', {message: errors[0]?.message ?? 'cannot be read'}, text)]
  return {
    name: path,
    milliseconds: 0,
    cases: [{classname: 'atomctl.test', name: path, milliseconds: 0, outcome: 'failed', elements}],
  }
}
