import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import {findingLines, placeOf} from '@atomctl/sdk/validation'
import type {PackageCoverage} from '../coverage.ts'
import type {BrokenFile} from '../load.ts'
import type {CaseReport, FileReport, Problem, TestReport} from '../report.ts'

/** Every case on a line of its own, what is wrong beneath it, then coverage and the count. */
export const testView: View<TestReport> = {
  kind: 'TestReport',
  text: (report, style) => render(report, style, false),
  wide: (report, style) => render(report, style, true),
  names: ({files}) => files.flatMap(({cases}) => cases.filter(({passed}) => !passed).map(({name}) => oneLine(name))),
  items: ({files}) => files.flatMap(({cases, ...file}) => cases.map((one) => ({...file, ...one}))),
}

function render(report: TestReport, style: Style, wide: boolean): string {
  const {files, broken, coverage} = report
  return [
    ...broken.flatMap((file) => [...brokenLines(file, style), '']),
    ...files.flatMap((file) => [...fileLines(file, style, wide), '']),
    ...(coverage.length === 0 ? [] : ['Coverage:', ...coverage.flatMap((one) => coverageLines(one, style)), '']),
    headline(report, style),
  ].join('\n')
}

function brokenLines({path, findings}: BrokenFile, style: Style): string[] {
  const errors = findings.filter(({severity}) => severity === 'error')
  return [`${style.bad('[ERROR]')} ${oneLine(path)}`, ...errors.flatMap((one) => findingLines(one, path, style))]
}

function fileLines({file, package: id, cases}: FileReport, style: Style, wide: boolean): string[] {
  return [
    `${style.strong(oneLine(file))}  ${style.faint(id)}`,
    ...cases.flatMap((one) => [
      caseLine(one, style, wide),
      ...one.problems.flatMap((it) => problemLines(it, file, style)),
    ]),
  ]
}

function caseLine({name, passed, status, elapsed}: CaseReport, style: Style, wide: boolean): string {
  const mark = passed ? style.good('ok  ') : style.bad('FAIL')
  return `  ${mark}  ${oneLine(name)}${wide ? style.faint(`  (${status}, ${elapsed} ms by its clock)`) : ''}`
}

function problemLines({message, position, path}: Problem, file: string, style: Style): string[] {
  const place = position === undefined ? '' : placeOf({rule: '', severity: 'error', message, path, position}, file)
  return [`      - ${oneLine(message)}`, ...(place === '' ? [] : [`          ${style.faint(place)}`])]
}

function coverageLines(coverage: PackageCoverage, style: Style): string[] {
  const {package: id, percent, missed} = coverage
  const counts = (['steps', 'branches', 'rollbacks'] as const).map((kind) => {
    const {covered, total} = coverage[kind]
    return `${kind} ${covered}/${total}`
  })
  return [
    `  ${id}  ${percent} %  (${counts.join(', ')})`,
    ...missed.map((text) => `      ${style.faint(`not covered: ${oneLine(text)}`)}`),
  ]
}

function headline({totals, duration}: TestReport, style: Style): string {
  const {passed, failed, not_run: left, broken, coverage} = totals
  const label = failed + broken === 0 ? style.good('[SUCCESS]') : style.bad('[ERROR]')
  const rest = [
    ...(left > 0 ? [`${left} not begun`] : []),
    ...(broken > 0 ? [`${broken} broken ${broken === 1 ? 'file' : 'files'}`] : []),
  ]
  const counts = [`${passed} passed`, `${failed} failed`, ...rest].join(', ')
  return `${label} ${counts}, coverage ${coverage} % in ${(duration / 1000).toFixed(1)} s`
}
