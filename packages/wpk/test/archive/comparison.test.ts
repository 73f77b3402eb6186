import {expect} from 'chai'
import fc from 'fast-check'
import {StreamComparison} from '../../src/archive/comparison.ts'

/** Adds the pieces of both sides in a random order; the verdict at the end. */
function compare(original: Uint8Array, rewritten: Uint8Array, turns: readonly [boolean, number][]): boolean {
  const comparison = new StreamComparison()
  const rest = {original, rewritten}
  const take = (side: 'original' | 'rewritten', length: number): void => {
    comparison.add(side, rest[side].subarray(0, length))
    rest[side] = rest[side].subarray(length)
  }
  for (const [first, length] of turns) take(first ? 'original' : 'rewritten', length)
  take('original', rest.original.length)
  take('rewritten', rest.rewritten.length)
  return comparison.end()
}

describe('comparing two streams', () => {
  const turns = fc.array(fc.tuple(fc.boolean(), fc.nat(20)), {maxLength: 40})
  const bytes = fc.uint8Array({maxLength: 100, max: 3})

  it('finds equal bytes equal, whichever side comes first and however they are cut', () => {
    fc.assert(fc.property(bytes, turns, (content, order) => compare(content, Buffer.from(content), order)))
  })

  it('agrees with comparing the whole bytes', () => {
    fc.assert(
      fc.property(bytes, bytes, turns, (left, right, order) => {
        expect(compare(left, right, order)).to.equal(Buffer.compare(left, right) === 0)
      }),
    )
  })

  it('stays different after the first difference', () => {
    const comparison = new StreamComparison()
    comparison.add('original', Buffer.from('abcdef'))
    expect(comparison.add('rewritten', Buffer.from('abXdefgh'))).to.equal(false)
    expect(comparison.offset).to.equal(2)
    expect(comparison.add('rewritten', Buffer.from('x'))).to.equal(false)
    expect(comparison.end()).to.equal(false)
  })

  it('gives up on a side that runs a mebibyte ahead, which is never collected', () => {
    const comparison = new StreamComparison()
    const block = Buffer.alloc(64 * 1024)
    for (let count = 0; count < 16; count++) expect(comparison.add('original', block)).to.equal(true)
    expect(comparison.add('original', block)).to.equal(false)
    expect(comparison.end()).to.equal(false)
  })
})
