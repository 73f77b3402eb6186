import {rehearse, type Rehearsal, type RehearsalRequest} from '@atomctl/runtime/rehearsal'
import type {WpkDocument} from '@atomctl/wpk/document'
import type {TestCase} from '@atomctl/wpk/tests'
import {coverageOf, type PackageCoverage, percentOf} from './coverage.ts'
import {failEachStep, type FailingCase, undoProblems} from './failing.ts'
import type {LoadedFiles, TestFile} from './load.ts'
import type {CaseReport, FileReport, Problem, TestReport} from './report.ts'
import {requestOf} from './situation.ts'
import {compare} from './verdict.ts'

export interface SuiteOptions {
  /** Only cases with such a name. */
  readonly filter: RegExp | undefined
  readonly failFast: boolean
  readonly failEachStep: boolean
}

/** Runs every case of every file, and adds up. */
export async function runSuite({files, broken}: LoadedFiles, options: SuiteOptions): Promise<TestReport> {
  const started = performance.now()
  const suite = new Suite(options)
  for (const file of files) await suite.runFile(file)
  const coverage = suite.coverage()
  const cases = suite.files.flatMap((file) => file.cases)
  const passed = cases.filter((one) => one.passed).length
  return {
    files: suite.files,
    broken,
    coverage,
    totals: {
      cases: cases.length,
      passed,
      failed: cases.length - passed,
      not_run: suite.notRun,
      broken: broken.length,
      coverage: percentOf(coverage.flatMap(({steps, branches, rollbacks}) => [steps, branches, rollbacks])),
    },
    duration: Math.round(performance.now() - started),
  }
}

class Suite {
  readonly files: FileReport[] = []
  notRun = 0
  readonly #options: SuiteOptions
  readonly #subjects = new Map<string, {subject: WpkDocument; rehearsals: Rehearsal[]}>()
  #hasFailed = false

  constructor(options: SuiteOptions) {
    this.#options = options
  }

  coverage(): PackageCoverage[] {
    return [...this.#subjects.values()].map(({subject, rehearsals}) => coverageOf(subject, rehearsals))
  }

  async runFile(file: TestFile): Promise<void> {
    const {document, subject, path} = file
    const cases: CaseReport[] = []
    for (const [index, one] of document.test.cases.entries())
      if (this.#wants(one.name)) cases.push(...(await this.#take(() => this.#runCase(file, one, index))))
    if (this.#options.failEachStep)
      for (const failing of await this.#failingCases(file))
        cases.push(...(await this.#take(() => this.#runFailing(file, failing))))
    if (cases.length > 0) this.files.push({file: path, package: subject.id, cases})
  }

  #wants(name: string): boolean {
    return this.#options.filter?.test(name) ?? true
  }

  async #take(run: () => Promise<CaseReport>): Promise<CaseReport[]> {
    if (this.#hasFailed && this.#options.failFast) {
      this.notRun += 1
      return []
    }
    const report = await run()
    this.#hasFailed ||= !report.passed
    return [report]
  }

  async #runCase(file: TestFile, one: TestCase, index: number): Promise<CaseReport> {
    const {subject, document} = file
    const request = requestOf(subject, document.test, one)
    const {rehearsal, duration} = await this.#rehearse(file, request)
    const problems = compare(one.expect, rehearsal, request.secrets).map(({path, message}): Problem => {
      const place = path === '' ? `cases[${index}]` : `cases[${index}].expect.${path}`
      const position = document.locate(place)
      return {message, path: place, ...(position ? {position} : {})}
    })
    return caseReport(one.name, false, {rehearsal, duration, problems})
  }

  /** Each step fails in the first case that completes with it. */
  async #failingCases({subject, document}: TestFile): Promise<FailingCase[]> {
    const failing = new Map<string, FailingCase>()
    for (const one of document.test.cases) {
      const request = requestOf(subject, document.test, one)
      const base = await rehearse(request)
      if (base.status !== 'completed') continue
      for (const made of failEachStep(request, base, subject)) if (!failing.has(made.step)) failing.set(made.step, made)
    }
    return [...failing.values()].filter(({name}) => this.#wants(name))
  }

  async #runFailing(file: TestFile, failing: FailingCase): Promise<CaseReport> {
    const {rehearsal, duration} = await this.#rehearse(file, failing.request)
    const problems = undoProblems(failing, rehearsal, file.subject).map((message) => ({message, path: ''}))
    return caseReport(failing.name, true, {rehearsal, duration, problems})
  }

  async #rehearse(
    {subject, subjectPath}: TestFile,
    request: RehearsalRequest,
  ): Promise<{rehearsal: Rehearsal; duration: number}> {
    const started = performance.now()
    const rehearsal = await rehearse(request)
    const known = this.#subjects.get(subjectPath) ?? {subject, rehearsals: []}
    known.rehearsals.push(rehearsal)
    this.#subjects.set(subjectPath, known)
    return {rehearsal, duration: performance.now() - started}
  }
}

function caseReport(
  name: string,
  generated: boolean,
  {rehearsal, duration, problems}: {rehearsal: Rehearsal; duration: number; problems: readonly Problem[]},
): CaseReport {
  const {status, elapsedMs: elapsed} = rehearsal
  return {name, generated, passed: problems.length === 0, status, problems, duration: Math.round(duration), elapsed}
}
