import {expect} from 'chai'
import * as fc from 'fast-check'
import {backoffAfter} from '../src/backoff.ts'
import {parseDuration} from '@atomctl/wpk/document'

const HOUR = 3_600_000

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('the pause before another attempt', () => {
  it('doubles after each attempt, until it is an hour', () => {
    const whole = (attempt: number): number => backoffAfter({backoffMs: 1000}, attempt, () => 1)
    expect([1, 2, 3, 4, 11, 12, 13, 100].map(whole)).to.deep.equal([
      1000,
      2000,
      4000,
      8000,
      1_024_000,
      2_048_000,
      HOUR,
      HOUR,
    ])
    expect(backoffAfter({backoffMs: parseDuration('2h') ?? 0}, 1, () => 1)).to.equal(HOUR)
  })

  it('is between half and the whole of that, whatever the chance, the attempt and the package say', () => {
    const random = fc.double({min: 0, max: 1, noNaN: true})
    const attempt = fc.integer({min: 1, max: 100})
    fc.assert(
      fc.property(fc.integer({min: 0, max: 24 * HOUR}), attempt, random, (backoffMs, tried, chance) => {
        const pause = backoffAfter({backoffMs}, tried, () => chance)
        const full = Math.min(backoffMs * 2 ** (tried - 1), HOUR)
        expect(pause)
          .to.be.within(Math.floor(full / 2), full)
          .and.to.satisfy(Number.isInteger)
      }),
    )
    expect(backoffAfter({backoffMs: 1000}, 3, () => 0)).to.equal(2000)
  })

  it('spreads executions that fail together over that range, and is the same for the same chance', () => {
    const pauses = (seed: number): number[] => {
      const random = seeded(seed)
      return Array.from({length: 1000}, () => backoffAfter({backoffMs: 1000}, 1, random))
    }
    const first = pauses(7)
    expect(pauses(7)).to.deep.equal(first)
    expect(pauses(8)).not.to.deep.equal(first)
    const tenths = Map.groupBy(first, (pause) => Math.min(9, Math.floor((pause - 500) / 50)))
    expect([...tenths.keys()].toSorted((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    for (const some of tenths.values()) expect(some.length).to.be.within(60, 140)
  })
})
