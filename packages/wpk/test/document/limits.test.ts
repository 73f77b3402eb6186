import {expect} from 'chai'
import {parseYaml, readDocument} from '@atomctl/wpk/document'

import {encode, rulesOf} from './documents.ts'

const MEBIBYTE = 1 << 20

/** Far above what a busy machine needs, far below what recursion or quadratic work would take. */
const SECONDS = 5

function refusedQuickly(text: string): string[] {
  const started = performance.now()
  const {findings, value} = parseYaml(encode(text).subarray(0, MEBIBYTE), 'hostile.yaml')
  expect(performance.now() - started).to.be.lessThan(SECONDS * 1000)
  expect(value).to.equal(undefined)
  return rulesOf(findings)
}

describe('A hostile document of 1 MiB is refused in bounded time', () => {
  const hostile: [string, string, string][] = [
    ['yaml_depth', 'opening brackets', '['.repeat(MEBIBYTE)],
    ['yaml_depth', 'nested flow mappings', '{a: '.repeat(MEBIBYTE / 4)],
    ['yaml_depth', 'nested dashes', '- '.repeat(MEBIBYTE / 2)],
    ['yaml_depth', 'nested explicit keys', '? '.repeat(MEBIBYTE / 2)],
    ['yaml_depth', 'indented mappings', Array.from({length: 1000}, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['yaml_nodes', 'list items', '- a\n'.repeat(MEBIBYTE / 4)],
    ['yaml_nodes', 'keys', Array.from({length: 60_000}, (_, index) => `k${index}: 1\n`).join('')],
    ['yaml_nodes', 'stray commas', `[${','.repeat(MEBIBYTE - 1)}`],
    ['yaml_nodes', 'anchors', '&a '.repeat(MEBIBYTE / 3)],
    ['yaml_nodes', 'documents', '---\n'.repeat(MEBIBYTE / 4)],
    ['yaml_character', 'control characters', '\u0001'.repeat(MEBIBYTE)],
    ['yaml_nodes', 'line breaks', '\n'.repeat(MEBIBYTE)],
    ['yaml_nodes', 'comments', '#\n'.repeat(MEBIBYTE / 2)],
    ['yaml_syntax', 'an open quote', `a: "${'\n'.repeat(MEBIBYTE - 10)}`],
    ['yaml_tab', 'tabs', '\t'.repeat(MEBIBYTE)],
  ]
  for (const [rule, what, text] of hostile) {
    it(what, () => expect(refusedQuickly(text)).to.include(rule))
  }

  it('aliases that would unfold to billions', () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(', ')}]\n`
    const text = level('a', 'x') + level('b', '*a') + level('c', '*b') + level('d', '*c') + level('e', '*d')
    expect(refusedQuickly(text)).to.include('yaml_alias')
  })
})

describe('The limits of a document', () => {
  it('are 1 MiB', () => {
    const text = `a: "${'x'.repeat(MEBIBYTE - 6)}"\n`
    expect(encode(text)).to.have.length(MEBIBYTE)
    expect(parseYaml(encode(text), 'x').findings).to.deep.equal([])
    expect(rulesOf(parseYaml(encode(`${text}#`), 'x').findings)).to.deep.equal(['yaml_size'])
  })

  it('are 64 levels', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}\n`
    expect(parseYaml(encode(nested(64)), 'x').findings).to.deep.equal([])
    expect(rulesOf(parseYaml(encode(nested(65)), 'x').findings)).to.deep.equal(['yaml_depth'])
  })

  it('name no more than 200 findings', () => {
    const text = Array.from({length: 1000}, (_, index) => `k${index}: yes\n`).join('')
    expect(parseYaml(encode(text), 'x').findings).to.have.length(200)
  })

  it('never make readDocument throw, whatever the bytes', () => {
    for (const bytes of [
      [],
      [0],
      [0x2d],
      [0x7b, 0x7d],
      [0x6e, 0x75, 0x6c, 0x6c],
      [0x5b, 0x5d],
      [0xf0, 0x9f, 0x98, 0x80],
    ]) {
      const {document, findings} = readDocument(Uint8Array.from(bytes), 'x')
      expect(document).to.equal(undefined)
      expect(findings).to.not.deep.equal([])
    }
  })
})
