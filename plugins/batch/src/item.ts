import type {Finding} from '@atomctl/wpk/document'
import type {JsonObject} from '@atomctl/wpk/canonical'
import {type AtomError, type ErrorReport, reportOf} from '@atomctl/sdk/errors'

export const OPERATIONS = ['validate', 'lint', 'pack', 'sign', 'push', 'verify', 'run'] as const
export type OperationName = (typeof OPERATIONS)[number]

/** One package of a batch: a path, or a workflow ID where the operation takes one. */
export interface Task {
  readonly subject: string
  /** What a manifest gives to `batch run` for this one. */
  readonly parameters?: JsonObject
}

/**
 * `waiting` is an execution that somebody has to approve, `skipped` was done by an earlier run of the batch, `not_run`
 * was not begun: it failed or was interrupted before.
 */
export type ItemStatus = 'ok' | 'failed' | 'waiting' | 'skipped' | 'not_run'

/** What became of one package. */
export interface BatchItem {
  readonly subject: string
  readonly status: ItemStatus
  /** `name-version`, where it got that far. */
  readonly id?: string
  /** What there is to say about it: the tarball, the execution, "unchanged". */
  readonly note?: string
  readonly findings?: readonly Finding[]
  readonly error?: ErrorReport
  /** Milliseconds. */
  readonly duration: number
}

/** What an operation says about a package it has done. */
export interface Done {
  readonly id?: string
  readonly note?: string
  readonly findings?: readonly Finding[]
  /** What identifies the input from now on, when doing it changed it. */
  readonly fingerprint?: string
  /** What has to happen before it is done; what was remembered of it stays. */
  readonly waiting?: AtomError
}

export interface BatchReport {
  readonly operation: OperationName
  readonly items: readonly BatchItem[]
  readonly totals: Readonly<Record<'items' | ItemStatus, number>>
  /** Milliseconds. */
  readonly duration: number
}

export function failedItem(subject: string, error: unknown, duration: number): BatchItem {
  const report = reportOf(error)
  const findings = report.details?.['findings'] as readonly Finding[] | undefined
  return {subject, status: 'failed', error: report, duration, ...(findings ? {findings} : {})}
}

export function summarizeBatch(operation: OperationName, items: readonly BatchItem[], duration: number): BatchReport {
  const count = (wanted: ItemStatus): number => items.filter(({status}) => status === wanted).length
  const totals = {
    items: items.length,
    ok: count('ok'),
    failed: count('failed'),
    waiting: count('waiting'),
    skipped: count('skipped'),
    not_run: count('not_run'),
  }
  return {operation, items, totals, duration}
}
