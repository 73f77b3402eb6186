import {expect} from 'chai'
import {parseYaml} from '@atomctl/wpk/document'

import {encode, rulesOf} from './documents.ts'

const parse = (text: string) => parseYaml(encode(text), 'test.yaml')
const value = (text: string) => parse(text).value

describe('parseYaml accepts', () => {
  const accepted: [string, string, unknown][] = [
    ['true, false and null in lower case', 'a: true\nb: false\nc: null\n', {a: true, b: false, c: null}],
    ['whole numbers up to 2^53 - 1', 'a: 0\nb: -7\nc: 9007199254740991\n', {a: 0, b: -7, c: 9007199254740991}],
    ['decimals of 15 digits', 'a: 1.5\nb: -0.25\nc: 123456789.123456\n', {a: 1.5, b: -0.25, c: 123456789.123456}],
    ['longer decimals in their shortest form', 'a: 0.30000000000000004\n', {a: 0.1 + 0.2}],
    ['plain versions, which no reader takes for numbers', 'a: 1.0.0\nb: v1.2.3-rc.1\n', {a: '1.0.0', b: 'v1.2.3-rc.1'}],
    [
      'plain text with colons, hashes and placeholders',
      'a: http://x:80/y#z\nb: ${A}-b\n',
      {a: 'http://x:80/y#z', b: '${A}-b'},
    ],
    ['quoted text of any kind', `a: "yes"\nb: 'it''s'\nc: "\\u00e9\\t"\n`, {a: 'yes', b: "it's", c: 'é\t'}],
    ['block scalars', 'a: |\n  x\n   y\nb: >-\n  c\n  d\n', {a: 'x\n y\n', b: 'c d'}],
    ['flow collections', 'a: [1, {b: c}]\n', {a: [1, {b: 'c'}]}],
    ['one document with its marker', '---\na: 1\n', {a: 1}],
    ['CRLF line ends', 'a: |\r\n  x\r\n  y\r\nb: 1\r\n', {a: 'x\ny\n', b: 1}],
    ['tabs inside comments and quoted text', 'a: "x\ty" #\tc\n', {a: 'x\ty'}],
    ['a list at the top', '- a\n- b\n', ['a', 'b']],
  ]
  for (const [what, text, expected] of accepted) {
    it(what, () => {
      expect(parse(text).findings).to.deep.equal([])
      expect(value(text)).to.deep.equal(expected)
    })
  }
})

describe('parseYaml refuses, with the rule', () => {
  const refused: [string, string, string][] = [
    ['yaml_tag', 'a tag', 'a: !!binary aGk=\n'],
    ['yaml_tag', 'a Python object', 'a: !!python/object/apply:os.system ["id"]\n'],
    ['yaml_anchor', 'an anchor', 'a: &x 1\n'],
    ['yaml_alias', 'an alias', 'a: *x\n'],
    ['yaml_merge', 'a merge key', 'a:\n  <<: {b: 1}\n'],
    ['yaml_directive', 'a directive', '%YAML 1.1\n---\na: b\n'],
    ['yaml_tab', 'a tab as indentation', 'a:\n\tb: 1\n'],
    ['yaml_tab', 'a tab as separation', 'a:\t1\n'],
    ['yaml_tab', 'a tab in a plain scalar', 'a: b\tc\n'],
    ['yaml_tab', 'a tab in quoted text of several lines', 'a: "b\n\t c"\n'],
    ['yaml_tab', 'a tab before the text of a block scalar', 'a: |\n  b\n  \tc\n'],
    ['yaml_character', 'a control character', 'a: "x\u0001"\n'],
    ['yaml_character', 'a next-line character, which some readers break lines at', 'a: x\u0085y\n'],
    ['yaml_character', 'a Unicode line separator', 'a: "x\u2028y"\n'],
    ['yaml_character', 'a byte order mark', '\uFEFFa: 1\n'],
    ['yaml_character', 'a carriage return alone', 'a: x\ry\n'],
    ['yaml_character', 'half of a surrogate pair', 'a: "\\ud800"\n'],
    ['yaml_character', 'half of a surrogate pair in a key', '"\\ud800": 1\n'],
    ['yaml_character', 'an escaped surrogate pair, which PyYAML takes for two characters', 'a: "\\ud83d\\ude00"\n'],
    ['yaml_character', 'an escaped surrogate pair in a key', '"x\\\\\\uD83D\\uDE00": 1\n'],
    ['yaml_character', 'a surrogate pair escaped in eight digits', 'a: "\\U0000D83D\\U0000DE00"\n'],
    ['yaml_key', 'a key behind a question mark, whose colon readers look for in different places', '? a\n  : b\n'],
    ['yaml_key', 'a number as a key', '1: a\n'],
    ['yaml_key', 'a word as a key that YAML 1.1 takes for true', 'on: push\n'],
    ['yaml_key', 'a list as a key', '? [a, b]\n: c\n'],
    ['yaml_key', 'a key of two lines', '{"a\n  b": c}\n'],
    ['yaml_duplicate_key', 'a key written twice', 'a: 1\na: 2\n'],
    ['yaml_duplicate_key', 'a key written twice in different forms', 'a: 1\n"\\x61": 2\n'],
    ['yaml_unicode_key', 'a key that is not NFC', '"cafe\u0301": 1\n'],
    ['yaml_reserved_key', 'a key that reaches into prototypes', '__proto__: {polluted: 1}\n'],
    ['yaml_reserved_key', 'the key constructor', 'constructor: 1\n'],
    ['yaml_empty', 'a missing value', 'a:\n'],
    ['yaml_documents', 'a second document', 'a: 1\n---\nb: 2\n'],
    ['yaml_documents', 'an empty file', ''],
    ['yaml_documents', 'a file of comments', '# nothing\n'],
    ['yaml_root', 'a single value', 'hello\n'],
    ['yaml_syntax', 'what is no YAML', 'a: [1\n'],
    ['yaml_syntax', 'a single quote that is never closed, though an escaped one ends the file', "a:\n  ': ''"],
    ['yaml_syntax', 'a double quote that is never closed', 'a: "b\\"'],
    ['yaml_block_end', 'a block scalar without its last line break', 'a: |\n  x'],
  ]
  for (const [rule, what, text] of refused) {
    it(`${rule}: ${what}`, () => {
      const result = parse(text)
      expect(rulesOf(result.findings)).to.include(rule)
      expect(result.value).to.equal(undefined)
    })
  }

  it('yaml_encoding: bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x61, 0x3a, 0x20, 0xff],
      [0xff, 0xfe, 0x61, 0x00],
      [0xc3, 0x28],
      [0xed, 0xa0, 0x80],
    ]) {
      expect(rulesOf(parseYaml(Uint8Array.from(bytes), 'x').findings)).to.deep.equal(['yaml_encoding'])
    }
  })
})

describe('parseYaml asks to quote', () => {
  const ambiguous = [
    'yes', 'No', 'on', 'OFF', 'y', 'N', '0755', '0o14', '0x1F', '0b11', '1_000', '22:22', '12:30:45', '1e3', '1.0e+3',
    '+1', '.5', '5.', '-0', '.inf', '.NaN', '2024-01-15', '2024-01-15T10:00:00Z', '12345678901234567890',
    '9007199254740992', '0.1000000000000000055511151231257827', '=', '<<', '1234567e8', 'e123456', '?x', ':x', '1,000',
  ] // oxfmt-ignore
  for (const text of ambiguous) {
    it(text, () => {
      const {findings} = parse(`key: ${text}\n`)
      const quoted = JSON.stringify(text)
      expect(findings).to.have.length(1)
      expect(findings[0]).to.deep.include({severity: 'error', path: 'key', position: {line: 1, column: 6}})
      expect(findings[0].message).to.include(quoted)
      expect(findings[0].fix).to.deep.equal({start: 5, end: 5 + text.length, text: quoted})
    })
  }

  it('gives the meaning all readers share where there is one', () => {
    for (const [text, rewritten] of [
      ['~', 'null'],
      ['Null', 'null'],
      ['TRUE', 'true'],
      ['False', 'false'],
    ] as const) {
      expect(parse(`a: ${text}\n`).findings[0].fix!.text, text).to.equal(rewritten)
    }
  })
})

describe('parseYaml reports', () => {
  it('every finding, each with line, column and path', () => {
    const {findings} = parse('a: yes\nb:\n  - 1\n  - {c: 0755}\non: *x\n')
    const seen = findings.map(({rule, position, path}) => `${position!.line}:${position!.column} ${rule} ${path}`)
    expect(seen.toSorted()).to.deep.equal([
      '1:4 yaml_ambiguous a',
      '4:9 yaml_ambiguous b[1].c',
      '5:1 yaml_key ',
      '5:5 yaml_alias ',
    ])
  })

  it('positions in CRLF files, with fixes that fit the original text', () => {
    const text = 'a: 1\r\nb: yes\r\nc: |\r\n  x\r\nd: on\r\n'
    const {findings} = parse(text)
    expect(findings.map(({position}) => position)).to.deep.equal([
      {line: 2, column: 4},
      {line: 5, column: 4},
    ])
    expect(findings.map(({fix}) => text.slice(fix!.start, fix!.end))).to.deep.equal(['yes', 'on'])
  })

  it('locates paths, and the nearest ancestor of paths that are not there', () => {
    const {locate} = parse('a:\n  - b: x\n    "c.d": y\n')
    expect(locate('a[0].b')).to.deep.equal({line: 2, column: 8})
    expect(locate('a[0]["c.d"]')).to.deep.equal({line: 3, column: 12})
    expect(locate('a[0].missing.more')).to.deep.equal({line: 2, column: 5})
    expect(locate('a')).to.deep.equal({line: 1, column: 1})
    expect(locate('nothing')).to.deep.equal({line: 1, column: 1})
  })
})
