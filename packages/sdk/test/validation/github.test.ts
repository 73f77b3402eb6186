import {expect} from 'chai'
import type {Finding} from '@atomctl/wpk/document'
import {summarize} from '@atomctl/sdk/validation'
import {renderGithub, SHOWN} from '../../src/validation/formats/github.ts'
import {renderSummary} from '../../src/validation/formats/summary.ts'

const finding = (changes: Partial<Finding> = {}): Finding => ({
  rule: 'some_rule',
  severity: 'error',
  message: 'is wrong',
  path: 'spec',
  position: {line: 3, column: 5},
  ...changes,
})
const report = (findings: readonly Finding[], file = 'a.wpk.yaml') => summarize([{file, valid: false, findings}])

describe('annotations for GitHub', () => {
  it('show errors before warnings, as many of each as GitHub shows, and count the rest', () => {
    const warnings = Array.from({length: SHOWN + 2}, () => finding({severity: 'warning'}))
    const errors = Array.from({length: SHOWN + 3}, () => finding())
    const lines = renderGithub(report([...warnings, ...errors])).split('\n')
    expect(lines.filter((line) => line.startsWith('::error '))).to.have.length(SHOWN)
    expect(lines.filter((line) => line.startsWith('::warning '))).to.have.length(SHOWN)
    expect(lines[0]).to.match(/^::error /)
    expect(lines.at(-1)).to.match(/^5 more findings/)
  })

  it('let no file name or message end a command or start another', () => {
    const text = renderGithub(report([finding({message: 'a\n::error::b%0A'})], 'x,line=9:\n::stop.wpk.yaml'))
    expect(text.split('\n')).to.have.length(1)
    expect(text).to.contain('file=x%2Cline=9%3A%0A%3A%3Astop.wpk.yaml,').and.contain('a%0A::error::b%250A')
  })

  it('leave out what the file itself sets aside', () => {
    expect(renderGithub(report([finding({suppressed: 'because'})]))).to.equal('')
  })
})

describe('the job summary', () => {
  it('says the verdict, the totals and every finding with its place', () => {
    const text = renderSummary(report([finding(), finding({severity: 'warning', suggestion: 'do it'})]))
    expect(text).to.contain('failed for 1 of 1 files').and.contain('1 files, 1 errors, 1 warnings.')
    expect(text).to.contain('| error | a.wpk.yaml:3:5 | some\\_rule | is wrong |')
    expect(text).to.contain('| warning | a.wpk.yaml:3:5 | some\\_rule | is wrong do it |')
  })

  it('takes no markup from a package', () => {
    const text = renderSummary(report([finding({message: '<img src=x> [a](javascript:b) | c\n## d `e`'})]))
    expect(text).to.contain('&lt;img src=x\\> \\[a\\]\\(javascript:b\\) \\| c \\#\\# d \\`e\\`')
  })

  it('stays below what GitHub takes, and says what is left out', () => {
    const text = renderSummary(report(Array.from({length: 20_000}, () => finding({message: 'x'.repeat(100)}))))
    expect(Buffer.byteLength(text)).to.be.below(1_000_000)
    expect(text).to.match(/\d+ more findings are left out\.\n$/)
  })
})
