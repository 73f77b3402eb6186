import type {HandlerSpec} from './program.ts'

const LONGEST_MS = 3_600_000

/**
 * How long to wait after a failed attempt, the first being 1: twice as long after each, an hour at most, and of that
 * between half and the whole, so that many executions do not try again together. `random` gives numbers in [0, 1].
 */
export function backoffAfter(
  {backoffMs}: Pick<HandlerSpec, 'backoffMs'>,
  attempt: number,
  random: () => number,
): number {
  const full = Math.min(backoffMs * 2 ** (attempt - 1), LONGEST_MS)
  return Math.round(full * (0.5 + random() / 2))
}
