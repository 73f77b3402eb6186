import {readFileSync} from 'node:fs'

import {expect} from 'chai'
import fc from 'fast-check'
import {canonicalize, canonicalJson, documentDigest} from '@atomctl/wpk/canonical'
import type {Json} from '@atomctl/wpk/canonical'

import {vectorFolder} from './vectors.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

interface JcsVector {
  name: string
  input: string
  output: string
}

describe('canonicalJson', () => {
  it('writes the bytes of every RFC 8785 vector', function () {
    const folder = vectorFolder('jcs')
    if (!folder) return this.skip()
    const {vectors} = JSON.parse(readFileSync(`${folder}/index.json`, 'utf8')) as {vectors: JcsVector[]}
    for (const {name, input, output} of vectors) {
      const value = JSON.parse(readFileSync(`${folder}/${input}`, 'utf8')) as Json
      expect(text(canonicalJson(value)), name).to.equal(readFileSync(`${folder}/${output}`, 'utf8'))
    }
  })

  it('sorts keys by UTF-16 code units and writes numbers as ECMAScript does', () => {
    const value = {'\u{1F602}': 1, '\uFB33': 2, b: 1e21, a: -0, c: 1e-7, d: 333333333.3333333}
    expect(text(canonicalJson(value))).to.equal(
      '{"a":0,"b":1e+21,"c":1e-7,"d":333333333.3333333,"\u{1F602}":1,"\uFB33":2}',
    )
  })

  it('gives the same bytes whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed())
        expect(text(canonicalJson(turned as unknown as Json))).to.equal(text(canonicalJson(value as unknown as Json)))
      }),
    )
  })

  for (const [what, value] of [
    ['NaN', {a: Number.NaN}],
    ['Infinity', [Infinity]],
    ['undefined, which a JSON writer would drop silently', {a: undefined}],
    ['a hole in a list', [1, , 2]], // eslint-disable-line no-sparse-arrays
    ['a lone surrogate in a string', {a: '\uD800'}],
    ['a lone surrogate in a key', {'\uDC00': 1}],
    ['a bigint', {a: 1n}],
    ['a date', {a: new Date(0)}],
    ['a map', {a: new Map()}],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => canonicalJson(value as unknown as Json))
        .to.throw()
        .with.property('code', 'WPK_INVALID')
    })
  }

  it('refuses a value that contains itself, and accepts one that is merely used twice', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(() => canonicalJson(circle as Json)).to.throw(/contains itself/)
    const shared = {x: 1}
    expect(text(canonicalJson({a: shared, b: shared}))).to.equal('{"a":{"x":1},"b":{"x":1}}')
  })
})

describe('canonicalize', () => {
  it('leaves out the signature and nothing else, and does not change the value', () => {
    const value = {metadata: {name: 'x', signature: 'abc'}, spec: {metadata: {signature: 'kept'}}}
    expect(text(canonicalize(value))).to.equal('{"metadata":{"name":"x"},"spec":{"metadata":{"signature":"kept"}}}')
    expect(value.metadata.signature).to.equal('abc')
  })

  it('takes values without metadata as they are', () => {
    for (const value of [null, [], 'x', {metadata: 'text'}, {metadata: null}]) {
      expect(text(canonicalize(value))).to.equal(JSON.stringify(value))
    }
  })
})

describe('documentDigest', () => {
  it('is the SHA-256 of the signed bytes, so signing does not change it', () => {
    const digest = documentDigest({metadata: {name: 'x'}})
    expect(digest).to.equal('sha256:ef6eb3146527e3ad8a51bec5a1c537313eb0b19b0084d36ebe96cdecbf302e15')
    expect(documentDigest({metadata: {name: 'x', signature: 's'}})).to.equal(digest)
    expect(documentDigest({metadata: {name: 'y'}})).to.not.equal(digest)
  })
})
