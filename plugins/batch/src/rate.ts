import {setTimeout as wait} from 'node:timers/promises'
import {AtomError} from '@atomctl/sdk/errors'

const UNITS: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: 3_600_000}

/** `10/s`, `30/m`, `100/h` as milliseconds between two starts. @throws USAGE */
export function parseRate(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)\/([smh])$/.exec(text) ?? []
  const interval = (UNITS[unit] ?? 0) / Number(count)
  if (Number.isFinite(interval) && interval > 0) return interval
  throw new AtomError('USAGE', `--rate ${JSON.stringify(text)} is no rate`, {hint: 'write it like 10/s, 30/m or 100/h'})
}

/** Spaces starts evenly: no burst at the beginning, none after a pause. */
export class Pace {
  readonly #interval: number
  #next = 0

  constructor(interval: number) {
    this.#interval = interval
  }

  /** Waits for the next start; ends early, without an error, when aborted. */
  async next(signal: AbortSignal): Promise<void> {
    const now = performance.now()
    const start = Math.max(now, this.#next)
    this.#next = start + this.#interval
    if (start > now) await wait(start - now, undefined, {signal}).catch(() => undefined)
  }
}
