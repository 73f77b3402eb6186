import {writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parseArgs} from 'node:util'

/** What a fuzzer is told: for how long, and where its randomness starts. */
export interface Campaign {
  readonly milliseconds: number
  readonly seed: number
}

export function readCampaign(argv: readonly string[]): Campaign {
  const options = {seconds: {type: 'string', default: '60'}, seed: {type: 'string'}} as const
  const {values} = parseArgs({args: [...argv], options})
  const seed = Number(values.seed ?? Date.now() % 2 ** 31)
  const milliseconds = Number(values.seconds) * 1000
  if (!Number.isInteger(seed) || !(milliseconds > 0)) throw new Error('usage: [--seconds N] [--seed INTEGER]')
  return {milliseconds, seed}
}

/** Random numbers that a seed repeats (mulberry32). */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below `limit`, whole. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)]
    if (picked === undefined) throw new RangeError('nothing to pick from')
    return picked
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({length: count}, () => this.below(256)))
  }
}

/** Goes on until the time is over; the case's number, with the seed, is what repeats it. Returns how many there were. */
export async function repeat(
  {milliseconds, seed}: Campaign,
  attempt: (chance: Chance) => Promise<void>,
): Promise<number> {
  const end = Date.now() + milliseconds
  let count = 0
  for (; Date.now() < end; count++) await attempt(new Chance(seed + count))
  return count
}

/** Fails with the case kept in a file. */
export function report(name: string, bytes: Uint8Array, problem: string, cause?: unknown): never {
  const file = join(tmpdir(), `${name}-${process.pid}.case`)
  writeFileSync(file, bytes)
  throw new Error(`${problem}; the case is in ${file}`, {cause})
}
