import type {Finding} from '@atomctl/wpk/document'
import type {ClaimedSigner} from '@atomctl/wpk/signing'

/** Whether a package carries signatures, and which keys or identities they name. Nothing is verified here (`verify` does). */
export type SignatureSummary =
  | {readonly state: 'unsigned'}
  | {readonly state: 'signed'; readonly fingerprint: string}
  | {readonly state: 'certified'; readonly identity: string; readonly issuer: string}
  | {readonly state: 'cosigned'; readonly signers: readonly ClaimedSigner[]}
  | {readonly state: 'invalid'; readonly reason: string}

export interface PackageSummary {
  readonly name: string
  readonly version: string
  readonly author: string
  readonly runtime: string
  readonly safetyMode: string
  readonly handlers: number
  readonly signature: SignatureSummary
}

/** What the security policy says about a package (spec: protocol 8.1 and 8.2). */
export interface PolicySummary {
  readonly score: number
  readonly riskLevel: string
  readonly decision: string
  readonly approvalRequired: boolean
  readonly canExecute: boolean
  readonly categories: readonly string[]
  readonly resourceTypes: readonly string[]
  readonly complexity: string
  readonly automationLevel: string
}

/** Everything `validate` has to say about one file. */
export interface FileReport {
  readonly file: string
  readonly valid: boolean
  readonly summary?: PackageSummary
  readonly policy?: PolicySummary
  readonly findings: readonly Finding[]
  /** What `--fix` changed in the file. */
  readonly fixed?: readonly Finding[]
}

export interface ValidationReport {
  readonly files: readonly FileReport[]
  readonly totals: {
    readonly files: number
    readonly invalid: number
    readonly errors: number
    readonly warnings: number
    readonly fixed: number
  }
}

/** Adds the totals to the reports of all files. */
export function summarize(files: readonly FileReport[]): ValidationReport {
  const count = (severity: Finding['severity']): number => sum(files, ({findings}) => active(findings, severity).length)
  return {
    files,
    totals: {
      files: files.length,
      invalid: files.filter(({valid}) => !valid).length,
      errors: count('error'),
      warnings: count('warning'),
      fixed: sum(files, ({fixed}) => fixed?.length ?? 0),
    },
  }
}

/** The findings of one severity that nobody suppressed. */
export function active(findings: readonly Finding[], severity: Finding['severity']): Finding[] {
  return findings.filter((finding) => finding.severity === severity && finding.suppressed === undefined)
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0)
}
