import {expect} from 'chai'
import fc from 'fast-check'
import {parseYaml} from '@atomctl/wpk/document'

import {encode} from './documents.ts'
import {NASTY_SCALARS, nastyDocument} from './nasty.ts'
import {READERS, reading, readWithPython} from './readers.ts'

/** Documents the gate accepts, each with its one meaning. */
function accepted(texts: readonly string[]): Map<string, string> {
  const results = texts.map((text) => [text, parseYaml(encode(text), 'x').value] as const)
  return new Map(
    results.filter(([, value]) => value !== undefined).map(([text, value]) => [text, reading(() => value)]),
  )
}

const scalarDocuments = NASTY_SCALARS.flatMap((scalar) => [
  `k: ${scalar}\n`,
  `- ${scalar}\n`,
  `[${scalar}]\n`,
  `${scalar}: v\n`,
])

describe('Whatever the gate accepts reads the same', () => {
  for (const [name, read] of Object.entries(READERS)) {
    it(`in ${name}, for every nasty scalar`, () => {
      for (const [text, meaning] of accepted(scalarDocuments))
        expect(
          reading(() => read(text)),
          JSON.stringify(text),
        ).to.equal(meaning)
    })

    it(`in ${name}, for documents made of nasty parts`, () => {
      fc.assert(
        fc.property(nastyDocument, (text) => {
          for (const [, meaning] of accepted([text])) expect(reading(() => read(text))).to.equal(meaning)
        }),
        {numRuns: 1000},
      )
    })
  }

  it('in PyYAML', function () {
    const documents = accepted([...scalarDocuments, ...fc.sample(nastyDocument, 8000)])
    const readings = readWithPython([...documents.keys()])
    if (!readings) {
      console.log('      python3 with PyYAML is not installed')
      return this.skip()
    }
    for (const [index, [text, meaning]] of [...documents].entries())
      expect(readings[index], JSON.stringify(text)).to.equal(meaning)
  })

  it('and that is hundreds of the documents tried, not none', () => {
    expect(accepted(scalarDocuments).size).to.be.greaterThan(150)
    expect(accepted(fc.sample(nastyDocument, 2000)).size).to.be.greaterThan(80)
  })
})
