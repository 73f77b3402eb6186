import {escapeXml} from './xml.ts'

/** One test case of a JUnit report. */
export interface JunitCase {
  readonly classname: string
  readonly name: string
  readonly milliseconds?: number
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Elements inside, each one line: see `junitElement`. */
  readonly elements?: readonly string[]
}

export interface JunitSuite {
  readonly name: string
  readonly cases: readonly JunitCase[]
  readonly milliseconds?: number
}

/** JUnit XML as CI systems read it. Without any time, or any case that can be skipped, the attribute is left out. */
export function renderJunit(suites: readonly JunitSuite[], total?: {milliseconds: number}): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="atomctl" ${countsOf(
      suites.flatMap(({cases}) => cases),
      total?.milliseconds,
    )}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ].join('\n')
}

/** `<failure message="…">text</failure>`, everything escaped. */
export function junitElement(name: string, attributes: Readonly<Record<string, string>>, text?: string): string {
  const open = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escapeXml(value)}"`)].join(' ')
  return text === undefined ? `<${open}/>` : `<${open}>${escapeXml(text)}</${name}>`
}

function suiteLines({name, cases, milliseconds}: JunitSuite): string[] {
  const open = `  <testsuite name="${escapeXml(name)}" ${countsOf(cases, milliseconds)}>`
  return [open, ...cases.flatMap(caseLines), '  </testsuite>']
}

function caseLines({classname, name, milliseconds, elements = []}: JunitCase): string[] {
  const time = milliseconds === undefined ? '' : ` time="${seconds(milliseconds)}"`
  const open = `    <testcase classname="${escapeXml(classname)}" name="${escapeXml(name)}"${time}`
  if (elements.length === 0) return [`${open}/>`]
  return [`${open}>`, ...elements.map((element) => `      ${element}`), '    </testcase>']
}

function countsOf(cases: readonly JunitCase[], milliseconds: number | undefined): string {
  const count = (outcome: JunitCase['outcome']): number => cases.filter((one) => one.outcome === outcome).length
  const failed = `tests="${cases.length}" failures="${count('failed')}" errors="0"`
  return milliseconds === undefined ? failed : `${failed} skipped="${count('skipped')}" time="${seconds(milliseconds)}"`
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}
