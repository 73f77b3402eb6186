import {expect} from 'chai'
import fc from 'fast-check'
import {parseYaml, stringifyYaml} from '@atomctl/wpk/document'
import type {Json} from '@atomctl/wpk/canonical'

import {encode} from './documents.ts'
import {NASTY_SCALARS} from './nasty.ts'
import {READERS, reading, readWithPython} from './readers.ts'

const nastyText = fc.oneof(
  fc.constantFrom(
    ...NASTY_SCALARS,
    ' lead',
    'trail ',
    '#x',
    'multi\nline\n',
    'x\n\n',
    '\n',
    'a\r\nb',
    '- x',
    'a: b',
    '\t',
  ),
  fc.string({unit: 'grapheme'}),
  fc.string({unit: 'grapheme-ascii'}),
)

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({noNaN: true, noDefaultInfinity: true}),
  fc.constantFrom(1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53),
)

const {tree} = fc.letrec<{tree: Json}>((tie) => ({
  tree: fc.oneof(
    {maxDepth: 4},
    fc.oneof(
      nastyText.filter((text) => text.isWellFormed()),
      number.map((value) => value + 0),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('tree'), {maxLength: 3}),
    fc.dictionary(nastyText.filter(isKey), tie('tree'), {maxKeys: 3}),
  ),
}))

function isKey(text: string): boolean {
  const reserved = ['__proto__', 'constructor', 'prototype']
  return text.isWellFormed() && text.normalize('NFC') === text && !reserved.includes(text) && text.length < 100
}

/** A document has a collection at the top. */
const document = fc.dictionary(fc.constantFrom('a', 'on', '1', 'b c'), tree, {minKeys: 1})

describe('stringifyYaml', () => {
  it('writes block style, and plain text wherever no reader can mistake it', () => {
    const value = {
      name: 'say-hello',
      version: '1.0.0',
      list: [1, {a: 'yes', b: [], c: {}}, ['x']],
      text: 'two\nlines\n',
      on: null,
    }
    expect(stringifyYaml(value)).to.equal(`name: say-hello
version: 1.0.0
list:
  - 1
  - a: "yes"
    b: []
    c: {}
  - - x
text: |
  two
  lines
"on": null
`)
  })

  it('passes the gate and reads back as the same value', () => {
    fc.assert(
      fc.property(document, (value) => {
        const {value: read, findings} = parseYaml(encode(stringifyYaml(value)), 'x')
        expect(findings).to.deep.equal([])
        expect(reading(() => read)).to.equal(reading(() => value))
      }),
    )
  })

  for (const [name, read] of Object.entries(READERS)) {
    it(`reads back the same in ${name}`, () => {
      fc.assert(
        fc.property(document, (value) => {
          expect(reading(() => read(stringifyYaml(value)))).to.equal(reading(() => value))
        }),
      )
    })
  }

  it('reads back the same in PyYAML', function () {
    const values = fc.sample(document, 1000)
    const readings = readWithPython(values.map((value) => stringifyYaml(value)))
    if (!readings) return this.skip()
    for (const [index, value] of values.entries()) expect(readings[index]).to.equal(reading(() => value))
  })

  it('writes scalars and empty collections at the top, too', () => {
    expect([null, 1.5, 'a: b', [], {}].map((value) => stringifyYaml(value))).to.deep.equal([
      'null\n',
      '1.5\n',
      '"a: b"\n',
      '[]\n',
      '{}\n',
    ])
  })

  it('refuses what YAML cannot hold for every reader', () => {
    for (const value of [Number.NaN, Infinity, '\uD800', {'\uDC00': 1}]) {
      expect(() => stringifyYaml(value))
        .to.throw()
        .with.property('code', 'WPK_INVALID')
    }
  })
})
