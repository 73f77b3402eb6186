import {AtomError, type ErrorReport} from '@atomctl/sdk/errors'
import type {BatchReport} from './item.ts'

/**
 * The exit code of a batch is that of its gravest failure (docs/batch.md): first what somebody must look at, a bug or
 * a package that is not what it claims to be; last what may pass when it is tried again, so that 9 means that
 * everything that failed is worth retrying.
 */
const GRAVITY = [1, 11, 12, 10, 5, 4, 3, 2, 7, 6, 24, 23, 20, 22, 21, 8, 124, 9]

/** The error that a batch ends with, or undefined when every package was done. */
export function failureOf({items, totals}: BatchReport, interrupted: boolean): AtomError | undefined {
  const {failed, waiting, not_run: left, items: all} = totals
  if (interrupted) {
    return new AtomError('INTERRUPTED', `stopped with ${left} of ${all} packages left`, {
      hint: 'the same command with --resume goes on from here',
    })
  }
  const reports = items.flatMap(({error}) => (error ? [error] : []))
  const [gravest] = reports.toSorted((a, b) => rankOf(a) - rankOf(b))
  if (!gravest) return undefined
  if (failed === 0) return new AtomError(gravest.code, `${waiting} of ${all} packages wait for approval`)
  const others = waiting === 0 ? '' : `, ${waiting} wait for approval`
  return new AtomError(gravest.code, `${failed} of ${all} packages failed${others}`)
}

function rankOf({exit}: ErrorReport): number {
  return Math.max(0, GRAVITY.indexOf(exit))
}
