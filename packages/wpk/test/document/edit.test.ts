import {expect} from 'chai'
import fc from 'fast-check'
import {parseYaml, setScalar, setValue} from '@atomctl/wpk/document'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'

import {playbooks} from '../vectors.ts'
import {encode, packageText} from './documents.ts'

const SIGNATURE = ['metadata', 'signature']
const valueOf = (text: string) => parseYaml(encode(text), 'x').value

function expectEdit(before: string, after: string): void {
  expect(setScalar(before, SIGNATURE, 'SIG')).to.equal(after)
}

describe('setScalar replaces', () => {
  const cases: [string, string, string][] = [
    ['an empty string', 'metadata:\n  signature: ""\n  a: b\n', 'metadata:\n  signature: "SIG"\n  a: b\n'],
    [
      'a plain value, keeping its comment',
      'metadata:\n  signature: old # why\n',
      'metadata:\n  signature: "SIG" # why\n',
    ],
    ['a single-quoted value', "metadata:\n  signature:   'o''ld'  \n", 'metadata:\n  signature:   "SIG"  \n'],
    ['a missing value', 'metadata:\n  signature:\n  a: b\n', 'metadata:\n  signature: "SIG"\n  a: b\n'],
    ['a missing value before a comment', 'metadata:\n  signature: # c\n', 'metadata:\n  signature: "SIG" # c\n'],
    ['a missing value at the end of the file', 'metadata:\n  signature:', 'metadata:\n  signature: "SIG"'],
    ['null', 'metadata:\n  signature: null\n', 'metadata:\n  signature: "SIG"\n'],
    ['a number', 'metadata:\n  signature: 12\nb: 1\n', 'metadata:\n  signature: "SIG"\nb: 1\n'],
    [
      'a block scalar and the lines it takes',
      'metadata:\n  signature: |\n    a\n    b\n  c: d\n',
      'metadata:\n  signature: "SIG"\n  c: d\n',
    ],
    ['a block scalar at the end of the file', 'metadata:\n  signature: |-\n    a', 'metadata:\n  signature: "SIG"'],
    [
      'a value of several lines',
      'metadata:\n  signature: "a\n    b"\n  c: d\n',
      'metadata:\n  signature: "SIG"\n  c: d\n',
    ],
    [
      'a value in a flow mapping',
      'metadata: {name: a, signature: "", b: c} # d\n',
      'metadata: {name: a, signature: "SIG", b: c} # d\n',
    ],
    [
      'a missing value in a flow mapping',
      'metadata: {name: a, signature: , b: c}\n',
      'metadata: {name: a, signature: "SIG" , b: c}\n',
    ],
    ['a key without colon in a flow mapping', 'metadata: {signature, b: c}\n', 'metadata: {signature: "SIG", b: c}\n'],
    ['the value of a quoted key', 'metadata:\n  "signature": x\n', 'metadata:\n  "signature": "SIG"\n'],
    ['JSON', '{"metadata":{"signature":""},"spec":{}}', '{"metadata":{"signature":"SIG"},"spec":{}}'],
    [
      'a value between CRLF line ends',
      'metadata:\r\n  signature: ""\r\n  a: b\r\n',
      'metadata:\r\n  signature: "SIG"\r\n  a: b\r\n',
    ],
    [
      'a CRLF block scalar',
      'metadata:\r\n  signature: |\r\n    a\r\n  c: d\r\n',
      'metadata:\r\n  signature: "SIG"\r\n  c: d\r\n',
    ],
  ]
  for (const [what, before, after] of cases) it(what, () => expectEdit(before, after))
})

describe('setScalar adds a missing key', () => {
  const cases: [string, string, string][] = [
    [
      'as last line of its block',
      'metadata:\n  name: a\nspec: {}\n',
      'metadata:\n  name: a\n  signature: "SIG"\nspec: {}\n',
    ],
    [
      'with the indentation of the block',
      'metadata:\n      name: a\nb: c\n',
      'metadata:\n      name: a\n      signature: "SIG"\nb: c\n',
    ],
    [
      'after the comment of the last line',
      'metadata:\n  name: a # why\nb: c\n',
      'metadata:\n  name: a # why\n  signature: "SIG"\nb: c\n',
    ],
    [
      'before comments that follow the block',
      'metadata:\n  name: a\n\n# spec\nspec: {}\n',
      'metadata:\n  name: a\n  signature: "SIG"\n\n# spec\nspec: {}\n',
    ],
    [
      'after a list',
      'metadata:\n  tags:\n    - a\n    - b\nc: d\n',
      'metadata:\n  tags:\n    - a\n    - b\n  signature: "SIG"\nc: d\n',
    ],
    [
      'after a list at the indentation of its key',
      'metadata:\n  tags:\n  - a: 1\n    b:\n      - 2\nc: d\n',
      'metadata:\n  tags:\n  - a: 1\n    b:\n      - 2\n  signature: "SIG"\nc: d\n',
    ],
    [
      'after a block scalar',
      'metadata:\n  d: |\n    x\n\n    y\nc: d\n',
      'metadata:\n  d: |\n    x\n\n    y\n  signature: "SIG"\nc: d\n',
    ],
    [
      'after a block scalar that keeps blank lines',
      'metadata:\n  d: |+\n    x\n\nc: d\n',
      'metadata:\n  d: |+\n    x\n\n  signature: "SIG"\nc: d\n',
    ],
    ['after a missing value', 'metadata:\n  name:\nc: d\n', 'metadata:\n  name:\n  signature: "SIG"\nc: d\n'],
    ['to a file without a last line break', 'metadata:\n  name: a', 'metadata:\n  name: a\n  signature: "SIG"'],
    [
      'to a CRLF file',
      'metadata:\r\n  name: a\r\nb: c\r\n',
      'metadata:\r\n  name: a\r\n  signature: "SIG"\r\nb: c\r\n',
    ],
    [
      'to a CRLF file without a last line break',
      'b: c\r\nmetadata:\r\n  name: a',
      'b: c\r\nmetadata:\r\n  name: a\r\n  signature: "SIG"',
    ],
    ['to a flow mapping', 'metadata: {name: a}\n', 'metadata: {name: a, signature: "SIG"}\n'],
    ['to a flow mapping with a last comma', 'metadata: {name: a, }\n', 'metadata: {name: a, signature: "SIG" }\n'],
    [
      'to a flow mapping of several lines',
      'metadata: {\n  name: [a]\n}\n',
      'metadata: {\n  name: [a], signature: "SIG"\n}\n',
    ],
    ['to an empty flow mapping', 'metadata: {}\n', 'metadata: {signature: "SIG"}\n'],
    ['to JSON', '{"metadata":{"name":"a"},"b":1}', '{"metadata":{"name":"a", "signature": "SIG"},"b":1}'],
  ]
  for (const [what, before, after] of cases) it(what, () => expectEdit(before, after))

  it('at the top of the document and inside lists', () => {
    expect(setScalar('a: 1\n', ['b'], 'x')).to.equal('a: 1\nb: "x"\n')
    expect(setScalar('a:\n  - b: 1\n  - c: 2\n', ['a', '1', 'd'], 'x')).to.equal('a:\n  - b: 1\n  - c: 2\n    d: "x"\n')
    expect(setScalar('a:\n  - b: 1\n', ['a', '0', 'on'], 'x')).to.equal('a:\n  - b: 1\n    "on": "x"\n')
  })
})

describe('setScalar refuses', () => {
  const refused: [string, string, string[]][] = [
    ['a missing parent', 'a: 1\n', SIGNATURE],
    ['a parent that is no mapping', 'metadata: [1]\n', SIGNATURE],
    ['a parent that is empty', 'metadata:\nspec: {}\n', SIGNATURE],
    ['a place that holds a collection', 'metadata:\n  signature: {a: b}\n', SIGNATURE],
    ['what is no YAML', 'metadata: {\n', SIGNATURE],
    ['an empty text', '', SIGNATURE],
    ['an empty path', 'a: 1\n', []],
  ]
  for (const [what, text, path] of refused) {
    it(what, () =>
      expect(() => setScalar(text, path, 'x'))
        .to.throw()
        .with.property('code', 'WPK_INVALID'),
    )
  }

  it('half of a surrogate pair, which no file can hold', () => {
    expect(() => setScalar('metadata: {}\n', SIGNATURE, '\uD800')).to.throw(/surrogate/)
  })
})

describe('setScalar, for any value', () => {
  const texts = [
    packageText(),
    packageText({metadata: '  signature: "" # none yet\n'}),
    packageText({metadata: '  tags: [a, b]\n  signature: |\n    old\n'}),
    packageText().replaceAll('\n', '\r\n'),
    packageText().replace(
      /metadata:[^]*spec:/,
      'metadata: {name: say-hello, version: "1.0.0", description: a, author: b}\nspec:',
    ),
    packageText().trimEnd(),
  ]

  it('changes that scalar, and every byte before and after it stays', () => {
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.string({unit: 'grapheme'}), (text, value) => {
        const edited = setScalar(text, SIGNATURE, value)
        expect(withSignature(valueOf(text)!, value)).to.deep.equal(valueOf(edited))
        const again = setScalar(edited, SIGNATURE, 'other')
        expect(setScalar(again, SIGNATURE, value)).to.equal(edited)
        expectOneChange(text, edited)
      }),
    )
  })

  it('in the well-known playbooks', function () {
    const files = playbooks()
    if (files.size === 0) return this.skip()
    for (const bytes of files.values()) {
      const text = new TextDecoder().decode(bytes)
      expect(setScalar(text, SIGNATURE, 'SIG')).to.equal(text.replace('signature: ""', 'signature: "SIG"'))
    }
  })
})

function withSignature(value: Json, signature: string): Json {
  const {metadata, ...rest} = value as JsonObject
  return {...rest, metadata: {...(metadata as JsonObject), signature}}
}

/** What was taken out of the one place that differs is at most the old value of the signature. */
function expectOneChange(before: string, after: string): void {
  let start = 0
  while (start < before.length && before[start] === after[start]) start++
  let end = 0
  while (end < before.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  expect(before.slice(start, before.length - end)).to.be.oneOf(['', '|\n    old', '|\n    old\n'])
}

describe('setValue writes', () => {
  const LIST =
    'spec:\n  parameters:\n    - name: a\n      type: integer\n    # next\n    - {name: b, type: string}\nend: 1\n'

  it('a number, a boolean, a list and a mapping, into a sequence, each on one line', () => {
    const path = ['spec', 'parameters', '0', 'default']
    for (const [value, written] of [
      [3, '3'],
      [true, 'true'],
      [['x', 1], '["x", 1]'],
      [{k: 'v: w'}, '{"k": "v: w"}'],
    ] as const)
      expect(setValue(LIST, path, value as Json)).to.equal(
        LIST.replace('type: integer\n', `type: integer\n      default: ${written}\n`),
      )
  })

  it('over a scalar and over a collection on one line, never over one of several lines', () => {
    expect(setValue('a: [1, 2] # why\n', ['a'], [3])).to.equal('a: [3] # why\n')
    expect(setValue(LIST, ['spec', 'parameters', '1', 'name'], 'c')).to.equal(LIST.replace('name: b', 'name: "c"'))
    expect(() => setValue('a:\n  - 1\n', ['a'], [3])).to.throw('not a single value')
    expect(() => setScalar('a: [1]\n', ['a'], 'x')).to.throw('not a single value')
  })

  it('what the gate reads back as the same value, whatever the text', () => {
    const leaf = fc.oneof(fc.string({unit: 'grapheme'}), fc.integer(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.oneof(leaf, fc.array(leaf)), (value) => {
        const {value: read, findings} = parseYaml(encode(setValue('a: 1\nb: 2\n', ['a'], value)), 'x')
        expect(findings).to.deep.equal([])
        expect(read).to.deep.equal({a: value, b: 2})
      }),
      {numRuns: 200},
    )
  })
})
