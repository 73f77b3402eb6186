import {hash} from 'node:crypto'
import {AtomError} from '@atomctl/sdk/errors'
import {active, type FileReport, validateFiles} from '@atomctl/sdk/validation'
import type {Finding} from '@atomctl/wpk/document'
import {type BatchItem, failedItem} from '../item.ts'

/** What a worker thread is told once. */
export interface CheckOptions {
  /** `lint` judges by the security policy alone; what cannot be read fails either way. */
  readonly operation: 'validate' | 'lint'
  readonly strict: boolean
}

export interface CheckedItem {
  readonly item: BatchItem
  /** Digest of the bytes that were checked; absent when there were none. */
  readonly fingerprint?: string
}

/** Checks a few files, as `validate` does; every outcome is an item, never an error. */
export async function checkFiles(paths: readonly string[], {operation, strict}: CheckOptions): Promise<CheckedItem[]> {
  const started = performance.now()
  const fingerprints = new Map<string, string>()
  const observe = (path: string, bytes: Uint8Array): void => void fingerprints.set(path, hash('sha256', bytes))
  try {
    const options = {strict: strict && operation === 'validate', fix: false, collect: true, observe}
    const reports = await validateFiles(paths, options)
    const duration = Math.round((performance.now() - started) / paths.length)
    return reports.map((report) => {
      const item = operation === 'lint' ? lintItem(report, strict, duration) : validationItem(report, duration)
      const fingerprint = fingerprints.get(report.file)
      return {item, ...(fingerprint === undefined ? {} : {fingerprint})}
    })
  } catch (error) {
    // a bug in a check, on one of these files: each is tried alone, so that the others get their answer
    if (paths.length === 1) return [{item: failedItem(paths[0] as string, error, 0)}]
    return (await Promise.all(paths.map((path) => checkFiles([path], {operation, strict})))).flat()
  }
}

function validationItem(report: FileReport, duration: number): BatchItem {
  const {file: subject, valid, findings} = report
  const warnings = active(findings, 'warning').length
  if (!valid) return {...failedItem(subject, validationError(report), duration), ...identityOf(report), findings}
  const note = warnings === 0 ? {} : {note: `${warnings} warnings`}
  return {subject, status: 'ok', ...identityOf(report), ...note, ...found(findings), duration}
}

function validationError({findings, policy}: FileReport): AtomError {
  const [first, ...rest] = active(findings, 'error')
  if (first) return new AtomError('WPK_INVALID', `${first.message}${rest.length > 0 ? ` and ${rest.length} more` : ''}`)
  if (policy?.decision === 'block') return blocked(policy.score)
  return new AtomError('WPK_INVALID', `${active(findings, 'warning')[0]?.message ?? 'it has warnings'} (--strict)`)
}

function lintItem(report: FileReport, strict: boolean, duration: number): BatchItem {
  const {file: subject, policy, findings} = report
  const own = findings.filter(({cwe}) => cwe !== undefined)
  const identity = identityOf(report)
  if (!policy) return {...failedItem(subject, validationError(report), duration), findings}
  if (policy.decision === 'block')
    return {...failedItem(subject, blocked(policy.score), duration), ...identity, findings: own}
  const [first] = active(own, 'warning')
  if (strict && first) {
    const error = new AtomError('WPK_INVALID', `${first.message} (--strict)`)
    return {...failedItem(subject, error, duration), ...identity, findings: own}
  }
  const note = `${policy.decision}, risk ${policy.riskLevel}, score ${policy.score}`
  return {subject, status: 'ok', ...identity, note, ...found(own), duration}
}

function blocked(score: number): AtomError {
  return new AtomError('POLICY_BLOCKED', `the security policy blocks it (risk score ${score})`)
}

function identityOf({summary}: FileReport): {id?: string} {
  return summary ? {id: `${summary.name}-${summary.version}`} : {}
}

function found(findings: readonly Finding[]): {findings?: readonly Finding[]} {
  return findings.length === 0 ? {} : {findings}
}
