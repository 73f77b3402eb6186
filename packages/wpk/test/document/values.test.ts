import {expect} from 'chai'
import fc from 'fast-check'
import {parseDuration, parseQuantity} from '@atomctl/wpk/document'
import {suggestName} from '@atomctl/wpk/suggestion'

describe('parseDuration', () => {
  it('reads hours, minutes, seconds and milliseconds, one or several', () => {
    const milliseconds = {
      '30s': 30_000,
      '5m': 300_000,
      '1h30m': 5_400_000,
      '500ms': 500,
      '1h1m1s1ms': 3_661_001,
      '1.5s': 1500,
      '0s': 0,
    }
    for (const [text, expected] of Object.entries(milliseconds)) expect(parseDuration(text), text).to.equal(expected)
  })

  it('reads nothing else', () => {
    for (const text of [
      '',
      '30',
      's',
      '5 m',
      '-5s',
      '1d',
      '5S',
      '1h ',
      ' 1h',
      '1e3s',
      '1h\n',
      '.5s',
      '5m30',
      '30sec',
    ]) {
      expect(parseDuration(text), JSON.stringify(text)).to.equal(undefined)
    }
  })

  it('is linear: a megabyte of digits costs no time', () => {
    const started = performance.now()
    parseDuration(`${'1'.repeat(1 << 20)}x`)
    parseDuration('1s'.repeat(1 << 18))
    expect(performance.now() - started).to.be.lessThan(2000)
  })
})

describe('parseQuantity', () => {
  it('reads what Kubernetes reads', () => {
    const amounts = {
      '100m': 0.1,
      '2': 2,
      '1.5': 1.5,
      '.5': 0.5,
      '128Mi': 134_217_728,
      '1Gi': 2 ** 30,
      '1G': 1e9,
      '1e3': 1000,
      '1E': 1e18,
      '1k': 1000,
      '5.': 5,
    }
    for (const [text, expected] of Object.entries(amounts))
      expect(parseQuantity(text), text).to.be.closeTo(expected, 1e-9)
    expect(parseQuantity(3)).to.equal(3)
  })

  it('reads nothing else', () => {
    for (const text of ['', 'lots', '1 Gi', '-1', '1gi', '1KB', 'Mi', '1Gi\n', '1e', '0x10']) {
      expect(parseQuantity(text), JSON.stringify(text)).to.equal(undefined)
    }
    expect(parseQuantity(Number.NaN)).to.equal(undefined)
  })
})

describe('suggestName', () => {
  const names = ['restart', 'scale', 'rollback', 'resource_name']

  it('finds what was meant through one slip in three letters', () => {
    expect(suggestName('restrat', names)).to.equal('restart')
    expect(suggestName('Scale', names)).to.equal('scale')
    expect(suggestName('resourcename', names)).to.equal('resource_name')
  })

  it('suggests nothing for what is like none of them', () => {
    for (const text of ['delete', 'x', '', 'x'.repeat(10_000)]) expect(suggestName(text, names)).to.equal(undefined)
  })

  it('always finds the name itself', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), (name) => {
        expect(suggestName(name, names)).to.equal(name)
      }),
    )
  })
})
