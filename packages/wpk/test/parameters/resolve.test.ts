import {expect} from 'chai'
import fc from 'fast-check'
import {declarationsOf, resolveParameters} from '@atomctl/wpk/parameters'

import {declare, refusal} from './declarations.ts'

const declarations = declare(
  {name: 'namespace', type: 'string', required: true, schema: {enum: ['staging', 'production']}},
  {name: 'replicas', type: 'integer', default: 3, schema: {minimum: 1, maximum: 50}},
  {name: 'timeout', type: 'duration'},
  {name: 'tags', type: 'array', schema: {items: {type: 'string'}, uniqueItems: true}},
  {name: 'labels', type: 'object'},
)

const layer = (values: Record<string, never>, origin = '-p') => ({origin, values})
const resolve = (values: object, origin?: string) => resolveParameters(declarations, [layer(values as never, origin)])

describe('resolveParameters', () => {
  it('takes the first layer that has a value, then the default, and says where each came from', () => {
    const resolved = resolveParameters(declarations, [
      {origin: '-p', values: {namespace: {text: 'staging'}}},
      {origin: 'context', values: {namespace: 'production', timeout: '5m'}},
    ])
    expect(resolved).to.deep.equal({
      values: {namespace: 'staging', replicas: 3, timeout: '5m'},
      origins: {namespace: '-p', replicas: 'default', timeout: 'context'},
      missing: [],
    })
  })

  it('names every required parameter that is missing, and does not throw for them', () => {
    const {missing} = resolveParameters(
      declare(
        {name: 'a', type: 'string', required: true},
        {name: 'b', type: 'number', required: true},
        {name: 'c', type: 'string'},
      ),
      [],
    )
    expect(missing.map(({name}) => name)).to.deep.equal(['a', 'b'])
  })

  it('reads text by the declared type', () => {
    const {values} = resolve({
      namespace: {text: 'staging'},
      replicas: {text: '7'},
      timeout: {text: '1h30m'},
      tags: {text: '["a","b"]'},
      labels: {text: '{"a": 1}'},
    })
    expect(values).to.deep.equal({
      namespace: 'staging',
      replicas: 7,
      timeout: '1h30m',
      tags: ['a', 'b'],
      labels: {a: 1},
    })
  })

  it('reports every unknown and every invalid parameter at once, with what was meant', () => {
    const message = refusal(() =>
      resolve({namspace: {text: 'staging'}, replicas: {text: '0'}, timeout: {text: 'soon'}, tags: '[', colour: 1}),
    )
    expect(message).to.include('namspace is unknown: did you mean namespace?')
    expect(message).to.include('colour is unknown: the package declares namespace, replicas')
    expect(message).to.include('replicas must be >= 1')
    expect(message).to.include('timeout must be a duration')
    expect(message).to.include('tags must be a list, not a string')
    expect(message).to.include('(from -p)')
  })

  const invalid: [string, object, string][] = [
    ['a number in quotes where JSON was given', {replicas: '7'}, 'replicas must be a whole number, not a string'],
    ['a fraction for an integer', {replicas: 1.5}, 'replicas must be a whole number'],
    ['text that is no number', {replicas: {text: '7x'}}, 'replicas is "7x", which is not a whole number'],
    ['a number beyond 2^53', {replicas: {text: '9007199254740993'}}, 'not a whole number'],
    ['hexadecimal text', {replicas: {text: '0x10'}}, 'not a whole number'],
    ['a value outside the enum', {namespace: 'dev'}, 'namespace must be one of "staging", "production"'],
    ['null', {namespace: null}, 'namespace must be a string, not null'],
    ['items of another type', {tags: ['a', 1]}, 'tags at /1 must be string'],
    ['items twice', {tags: ['a', 'a']}, 'must NOT have duplicate items'],
    ['text that is no JSON', {labels: {text: '{a: 1}'}}, 'not JSON such as'],
    ['a list for a mapping', {labels: []}, 'labels must be a mapping, not a list'],
  ]
  for (const [what, values, message] of invalid) {
    it(`refuses ${what}`, () => expect(refusal(() => resolve({namespace: 'staging', ...values}))).to.include(message))
  }

  it('never shows a long value', () => {
    expect(refusal(() => resolve({replicas: {text: 'hunter2'.repeat(20)}}))).to.not.include('hunter2')
  })

  it('accepts anything for a package that declares nothing, text as text', () => {
    const resolved = resolveParameters(undefined, [
      {origin: '-p', values: {a: {text: '1'}}},
      {origin: '--parameters', values: {a: 2, b: {text: 'x', more: 1}}},
    ])
    expect(resolved.values).to.deep.equal({a: '1', b: {text: 'x', more: 1}})
    expect(resolved.origins).to.deep.equal({a: '-p', b: '--parameters'})
  })

  it('takes {text} for a mapping where the layer says its values are JSON', () => {
    const values = {labels: {text: 'x'}, namespace: 'staging'}
    expect(resolveParameters(declarations, [{origin: '--parameters', values, literal: true}]).values).to.deep.include({
      labels: {text: 'x'},
    })
    expect(resolveParameters(undefined, [{origin: '--parameters', values, literal: true}]).values).to.deep.equal(values)
  })

  it('accepts nothing for a package that declares an empty list', () => {
    expect(refusal(() => resolveParameters([], [layer({a: 1} as never)]))).to.include('the package declares none')
  })

  it('asks nobody for a secret, and refuses one that is given without repeating it', () => {
    const secret = declare({name: 'token', type: 'secret', required: true})
    expect(resolveParameters(secret, []).values).to.deep.equal({})
    const message = refusal(() => resolveParameters(secret, [layer({token: {text: 'hunter2hunter2'}} as never)]))
    expect(message).to.include('token is a secret').and.to.not.include('hunter2')
  })

  const polluting = [
    '{"__proto__": {"polluted": 1}}',
    '{"a": {"constructor": {"prototype": {"polluted": 1}}}}',
    '{"a": [{"prototype": 1}]}',
  ]
  for (const text of polluting) {
    it(`lets ${text} reach no prototype`, () => {
      const values = JSON.parse(text) as never
      expect(refusal(() => resolveParameters(undefined, [{origin: '--parameters', values}]))).to.include('not allowed')
      expect(refusal(() => resolve({namespace: 'staging', labels: {text}}))).to.include('not JSON')
      expect(refusal(() => resolve({namespace: 'staging', labels: values as object}))).to.include('not allowed')
      expect(({} as {polluted?: number}).polluted).to.equal(undefined)
    })
  }

  it('refuses JSON nested without end', () => {
    const nested = `${'[{"a":'.repeat(5000)}1${'}]'.repeat(5000)}`
    expect(refusal(() => resolve({namespace: 'staging', tags: {text: nested}}))).to.include('not JSON')
  })

  it('keeps every JSON value of an undeclared package as it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue({maxDepth: 3})), (values) => {
        fc.pre(!/"(?:__proto__|constructor|prototype)":/.test(JSON.stringify(values)))
        const resolved = resolveParameters(undefined, [{origin: 'file', values: values as never, literal: true}])
        expect(resolved.values).to.deep.equal(values)
      }),
    )
  })
})

describe('declarationsOf', () => {
  it('is undefined where nothing is declared', () => {
    for (const value of [{}, {spec: null}, {spec: {parameters: 'x'}}, {spec: []}])
      expect(declarationsOf(value)).to.equal(undefined)
  })

  it('drops what is no declaration, for callers that were sent an unchecked document', () => {
    expect(
      declarationsOf({spec: {parameters: [null, 'x', {name: 1, type: 'string'}, {name: 'a', type: 'string'}]}}),
    ).to.have.length(1)
  })
})
