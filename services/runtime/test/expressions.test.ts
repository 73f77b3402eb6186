import {expect} from 'chai'
import {evaluate, namesIn, parseCondition} from '../src/expressions.ts'

const holds = (text: string, values: Parameters<typeof evaluate>[1] = {}): boolean | undefined =>
  evaluate(parseCondition(text), values)

describe('conditions', () => {
  it('compare names with literals', () => {
    expect(holds("environment == 'production'", {environment: 'production'})).to.equal(true)
    expect(holds('environment != "production"', {environment: 'production'})).to.equal(false)
    expect(holds('${ENVIRONMENT} == staging_name', {environment: 'x', staging_name: 'x'})).to.equal(true)
    expect(holds('params.replicas >= 3', {replicas: 3})).to.equal(true)
    expect(holds('outputs.count < 10', {count: '9'})).to.equal(true)
    expect(holds('enabled == true', {enabled: true})).to.equal(true)
    expect(holds("tags contains 'a'", {tags: ['a', 'b']})).to.equal(true)
    expect(holds("body.items.0.state == 'ok'", {body: {items: [{state: 'ok'}]}})).to.equal(true)
  })

  it('joined by && must all hold', () => {
    expect(holds('a == 1 && b == 2', {a: 1, b: 2})).to.equal(true)
    expect(holds('a == 1 && b == 2', {a: 1, b: 3})).to.equal(false)
  })

  it('are undecided when a name has no value, unless another part fails anyway', () => {
    expect(holds('missing == 1')).to.equal(undefined)
    expect(holds('missing == 1 && a == 1', {a: 2})).to.equal(false)
  })

  it('never read what a prototype offers', () => {
    expect(holds("constructor.name == 'Object'")).to.equal(undefined)
    expect(holds("__proto__.x == 'Object'")).to.equal(undefined)
  })

  it('compare text that is no number as not smaller and not larger', () => {
    expect(holds('a < 3', {a: 'many'})).to.equal(false)
    expect(holds('a >= 3', {a: 'many'})).to.equal(false)
  })

  for (const text of ['', 'a', 'a = 1', 'f(1) == 2', 'a == 1 || b == 2', 'a + 1 == 2', 'a == 1 &&', "a == 'x", '== 1'])
    it(`refuse ${JSON.stringify(text)}`, () => {
      expect(() => parseCondition(text))
        .to.throw()
        .with.property('code', 'WPK_INVALID')
    })

  it('tell which names they need', () => {
    expect(namesIn(parseCondition("status == 200 && body.state == 'x' && params.a == ${B}"))).to.deep.equal([
      'status',
      'body',
      'a',
      'B',
    ])
  })
})
