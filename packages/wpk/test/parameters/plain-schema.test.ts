import {Ajv, type AnySchema} from 'ajv'
import addFormats from 'ajv-formats'
import {expect} from 'chai'
import fc from 'fast-check'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {isPlainSchema, satisfiesPlainSchema} from '../../src/parameters/plain-schema.ts'

const KEYWORDS = [
  '$comment',
  'const',
  'description',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
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

  it('is never true for what ajv, as strict as it judges packages, cannot compile', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        if (!isPlainSchema(schema as Json)) return
        const strict = new Ajv({strict: true, strictTypes: false, strictRequired: false, logger: false})
        expect(() => strict.compile(schema as AnySchema), JSON.stringify(schema)).not.to.throw()
      }),
      {numRuns: 300},
    )
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

describe('satisfiesPlainSchema', () => {
  it('is never true where ajv finds a value wrong', () => {
    const judge = new Ajv({strict: true, strictTypes: false, strictRequired: false, logger: false, ownProperties: true})
    let satisfied = 0
    fc.assert(
      fc.property(schemas, value, (schema, candidate) => {
        if (!isPlainSchema(schema as Json) || !satisfiesPlainSchema(schema as JsonObject, candidate)) return
        satisfied += 1
        expect(judge.validate(schema as AnySchema, candidate), JSON.stringify([schema, candidate])).to.equal(true)
      }),
      {numRuns: 4000},
    )
    expect(satisfied).to.be.greaterThan(200)
  })

  it('says so of the values that packages have as defaults', () => {
    expect(satisfiesPlainSchema({enum: ['staging', 'production']}, 'staging')).to.equal(true)
    expect(satisfiesPlainSchema({minimum: 1, maximum: 50}, 3)).to.equal(true)
    expect(satisfiesPlainSchema({type: 'string', minLength: 1, maxLength: 1}, '\u{1F600}')).to.equal(true)
    expect(satisfiesPlainSchema({items: {type: 'integer'}, uniqueItems: true}, [1, 2])).to.equal(true)
  })

  it('leaves the rest to ajv', () => {
    for (const [schema, candidate] of [
      [{enum: ['a']}, 'b'],
      [{minimum: 2}, 1],
      [{minimum: 2}, 'text'],
      [{pattern: 'a'}, 'a'],
      [{items: {type: 'integer'}}, [1.5]],
      [{type: 'object'}, null],
      [{type: 'array'}, {}],
    ] as [JsonObject, Json][])
      expect(satisfiesPlainSchema(schema, candidate), JSON.stringify(schema)).to.equal(false)
  })
})
