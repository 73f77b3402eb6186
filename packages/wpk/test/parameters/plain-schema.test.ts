import {Ajv, type AnySchema} from 'ajv'
import addFormats from 'ajv-formats'
import {expect} from 'chai'
import fc from 'fast-check'
import type {Json} from '@atomctl/wpk/canonical'
import {isPlainSchema} from '../../src/parameters/plain-schema.ts'

const KEYWORDS = [
  '$comment',
  'const',
  'description',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maximum',
  'minItems',
  'minLength',
  'minimum',
  'multipleOf',
  'pattern',
  'properties',
  'required',
  'title',
  'type',
  'uniqueItems',
]

/** Values that some keyword takes and another does not. */
const value = fc.oneof(
  fc.constantFrom<Json>('string', 'integer', '^a+$', '(', '[', 0, -1, 1, 2.5, true, false, null, [], {}, [1, 1], ['a']),
  fc.jsonValue({maxDepth: 2}) as fc.Arbitrary<Json>,
)
const flat = fc.dictionary(fc.constantFrom(...KEYWORDS), value, {maxKeys: 3})
const schemas = fc.oneof(
  flat,
  flat.map((items) => ({type: 'array', items})),
  value,
)

describe('isPlainSchema', () => {
  it('is never true for what the schema of schemas refuses', () => {
    const judge = new Ajv({logger: false})
    addFormats.default(judge)
    let plain = 0
    fc.assert(
      fc.property(schemas, (schema) => {
        if (!isPlainSchema(schema as Json)) return
        plain += 1
        expect(judge.validateSchema(schema as AnySchema), JSON.stringify(schema)).to.equal(true)
      }),
      {numRuns: 4000},
    )
    expect(plain).to.be.greaterThan(400)
  })

  it('is true for the keywords that packages use most', () => {
    for (const schema of [
      {enum: ['staging', 'production']},
      {minimum: 1, maximum: 50},
      {pattern: '^[a-z]+$', maxLength: 63},
      {items: {type: 'string'}, uniqueItems: true, minItems: 1},
    ])
      expect(isPlainSchema(schema), JSON.stringify(schema)).to.equal(true)
  })

  it('leaves the rest to the schema of schemas', () => {
    for (const schema of [
      {properties: {}},
      {$ref: '#'},
      {pattern: '('},
      {enum: []},
      {enum: [1, 1]},
      {minLength: -1},
      [],
    ])
      expect(isPlainSchema(schema as Json), JSON.stringify(schema)).to.equal(false)
  })
})
