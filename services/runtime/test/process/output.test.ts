import {expect} from 'chai'
import * as fc from 'fast-check'
import {HeadAndTail, LineSplitter, LogBudget} from '../../src/process/output.ts'

function collect(): {lines: string[]; system: string[]; budget: LogBudget} {
  const lines: string[] = []
  const system: string[] = []
  const budget = new LogBudget((stream, text) => void (stream === 'system' ? system : lines).push(text))
  return {lines, system, budget}
}

describe('LineSplitter', () => {
  it('finds the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({unit: 'grapheme'})), fc.array(fc.nat(9)), (texts, cuts) => {
        const whole = texts.map((text) => text.replaceAll(/[\r\n]/g, ' '))
        const bytes = Buffer.from(whole.map((text) => `${text}\n`).join(''))
        const {lines, budget} = collect()
        const splitter = new LineSplitter(budget, 'stdout')
        let at = 0
        for (const cut of cuts) splitter.push(bytes.subarray(at, (at += cut)))
        splitter.push(bytes.subarray(at))
        splitter.end()
        expect(lines).to.deep.equal(whole)
      }),
    )
  })

  it('keeps a last line without its end, and drops carriage returns', () => {
    const {lines, budget} = collect()
    const splitter = new LineSplitter(budget, 'stdout')
    splitter.push(Buffer.from('a\r\nb'))
    splitter.end()
    expect(lines).to.deep.equal(['a', 'b'])
  })

  it('shows bytes that are no text as replacement characters', () => {
    const {lines, budget} = collect()
    const splitter = new LineSplitter(budget, 'stdout')
    splitter.push(Buffer.from([0xff, 0xfe, 0x0a]))
    expect(lines).to.deep.equal(['\u{FFFD}\u{FFFD}'])
  })

  it('cuts a line that never ends', () => {
    const {lines, budget} = collect()
    const splitter = new LineSplitter(budget, 'stdout')
    splitter.push(Buffer.alloc(20_000, 'x'))
    splitter.end()
    expect(lines.map((line) => line.length)).to.deep.equal([8192, 8192, 3616])
  })
})

describe('LogBudget', () => {
  it('stops after 1 MiB over both streams and says so once', () => {
    const {lines, system, budget} = collect()
    for (let i = 0; i < 3000; i += 1) budget.write(i % 2 ? 'stdout' : 'stderr', 'x'.repeat(1023))
    expect(lines).to.have.length(1024)
    expect(system).to.have.length(1)
    expect(system[0]).to.match(/^truncated/)
  })

  it('stops after 20,000 lines however short', () => {
    const {lines, system, budget} = collect()
    for (let i = 0; i < 30_000; i += 1) budget.write('stdout', '')
    expect([lines.length, system.length]).to.deep.equal([20_000, 1])
  })
})

describe('HeadAndTail', () => {
  it('keeps everything up to 64 KiB', () => {
    const output = new HeadAndTail()
    output.push(Buffer.alloc(60_000, 'a'))
    output.push(Buffer.from('end'))
    expect(output.text).to.equal(`${'a'.repeat(60_000)}end`)
  })

  it('keeps the first and the last 32 KiB of more, and counts what is missing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50_000), {maxLength: 20}), (sizes) => {
        const output = new HeadAndTail()
        const bytes = Buffer.alloc(
          sizes.reduce((sum, size) => sum + size, 0),
          'abcdefghijk',
        )
        let at = 0
        for (const size of sizes) output.push(bytes.subarray(at, (at += size)))
        if (bytes.length <= 65_536) return void expect(output.text).to.equal(bytes.toString())
        expect(output.text.startsWith(bytes.toString('latin1', 0, 32_768))).to.equal(true)
        expect(output.text.endsWith(bytes.toString('latin1', bytes.length - 32_768))).to.equal(true)
        expect(output.text).to.contain(`${bytes.length - 65_536} bytes left out`)
      }),
      {numRuns: 50},
    )
  })
})
