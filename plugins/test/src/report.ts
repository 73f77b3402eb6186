import type {RehearsalStatus} from '@atomctl/runtime/rehearsal'
import type {Position} from '@atomctl/wpk/document'
import type {PackageCoverage} from './coverage.ts'
import type {BrokenFile} from './load.ts'

export interface Problem {
  readonly message: string
  /** Path inside the test file; '' is the case itself. */
  readonly path: string
  readonly position?: Position
}

export interface CaseReport {
  readonly name: string
  /** Not written by anybody: `--fail-each-step` made it. */
  readonly generated: boolean
  readonly passed: boolean
  /** How the execution ended. */
  readonly status: RehearsalStatus
  readonly problems: readonly Problem[]
  /** Milliseconds the case took, and those that passed by its own clock. */
  readonly duration: number
  readonly elapsed: number
}

export interface FileReport {
  readonly file: string
  /** `name-version` of the package. */
  readonly package: string
  readonly cases: readonly CaseReport[]
}

export interface TestReport {
  readonly files: readonly FileReport[]
  readonly broken: readonly BrokenFile[]
  readonly coverage: readonly PackageCoverage[]
  readonly totals: {
    readonly cases: number
    readonly passed: number
    readonly failed: number
    /** Not begun after a failure. */
    readonly not_run: number
    readonly broken: number
    /** Percent of everything that can be covered. */
    readonly coverage: number
  }
  /** Milliseconds. */
  readonly duration: number
}
