import {expect} from 'chai'
import fc from 'fast-check'
import {fixDocument, parseYaml} from '@atomctl/wpk/document'

import {encode, packageText, rulesOf} from './documents.ts'
import {nastyDocument} from './nasty.ts'

const fix = (text: string) => fixDocument(encode(text), 'test.wpk.yaml')

describe('fixDocument', () => {
  it('quotes ambiguous scalars and keys, and leaves every other byte', () => {
    const text = packageText({metadata: '  created: 2024-01-15T10:00:00Z   # when\n  x-on:  {on:  yes, b:   ~}\n'})
    const {text: fixed, fixed: findings, remaining} = fix(text)
    const expected = text
      .replace('2024-01-15T10:00:00Z', '"2024-01-15T10:00:00Z"')
      .replace('{on:  yes, b:   ~}', '{"on":  "yes", b:   null}')
    expect(fixed).to.equal(expected)
    expect(rulesOf(findings)).to.have.members(['yaml_ambiguous', 'yaml_ambiguous', 'yaml_key', 'yaml_ambiguous'])
    expect(remaining).to.deep.equal([])
  })

  it('keeps CRLF line ends', () => {
    const text = packageText({metadata: '  x-a: on\n  x-b: 0755\n'}).replaceAll('\n', '\r\n')
    expect(fix(text).text).to.equal(text.replace('x-a: on', 'x-a: "on"').replace('0755', '"0755"'))
  })

  it('changes nothing in a sound document', () => {
    const text = packageText()
    expect(fix(text)).to.deep.equal({text, fixed: [], remaining: []})
  })

  it('says what it could not fix', () => {
    const {text, remaining} = fix(packageText().replace('"1.0.0"', '1.0'))
    expect(text).to.include('version: 1.0\n')
    expect(rulesOf(remaining)).to.deep.equal(['schema_type'])
  })

  it('fixes more places than the gate reports at once', () => {
    const text = Array.from({length: 1000}, (_, index) => `k${index}: yes\n`).join('')
    expect(fix(text).text).to.equal(text.replaceAll('yes', '"yes"'))
  })

  it('gives values to keys without one', () => {
    expect(fix('a:\nb: # c\nc:').text).to.equal('a: null\nb: null # c\nc: null')
  })

  it('leaves a missing key alone, wherever the parser says it stands', () => {
    for (const text of ['? a\n    # c\n    b\n: a\n', ': a\n', '? \n: a\n']) {
      const {text: after, remaining} = fixDocument(new TextEncoder().encode(text), 'x.wpk.yaml')
      expect(after).to.equal(text)
      expect(remaining.some(({rule}) => rule === 'yaml_key')).to.equal(true)
    }
  })

  it('leaves no fixable finding, so that a second time changes nothing', () => {
    fc.assert(
      fc.property(nastyDocument, (text) => {
        const {text: fixed} = fix(text)
        const after = parseYaml(encode(fixed), 'x').findings
        expect(after.filter(({fix: open}) => open)).to.deep.equal([])
        expect(fix(fixed).text).to.equal(fixed)
      }),
      {numRuns: 500},
    )
  })

  it('changes nothing but quotes, the capitals of True, null for what is empty, escaped pairs, and a last line break', () => {
    const bare = (text: string): string =>
      text
        .replaceAll('😀', 'ud83dude00')
        .toLowerCase()
        .replaceAll(/["'\\~\s]|null/g, '')
    fc.assert(
      fc.property(nastyDocument, (text) => {
        const {text: fixed} = fix(text)
        expect(bare(fixed)).to.equal(bare(text))
        expect(fixed.trimEnd().split('\n')).to.have.length(text.trimEnd().split('\n').length)
      }),
      {numRuns: 1000},
    )
  })

  it('does not throw on bytes that are no text', () => {
    expect(rulesOf(fixDocument(Uint8Array.of(0xff), 'x').remaining)).to.deep.equal(['yaml_encoding'])
  })
})
