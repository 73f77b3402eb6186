import {expect} from 'chai'
import {checkParameters, coerceParameter} from '@atomctl/wpk/parameters'

import {declare, refusal} from './declarations.ts'

const declarations = declare(
  {name: 'namespace', type: 'string', required: true},
  {name: 'replicas', type: 'integer', required: true, default: 3, schema: {minimum: 1}},
  {name: 'token', type: 'secret', required: true},
)

describe('checkParameters', () => {
  it('finds every missing, unknown and invalid parameter', () => {
    const findings = checkParameters(declarations, {replicas: 0, namespce: 'x'})
    expect(findings.map(({rule, path, severity}) => `${severity} ${rule} ${path}`)).to.deep.equal([
      'error parameter_unknown namespce',
      'error parameter_missing namespace',
      'error parameter_invalid replicas',
    ])
    expect(findings[0].message).to.include('did you mean namespace?')
  })

  it('is satisfied with what fits', () => {
    expect(checkParameters(declarations, {namespace: 'a'})).to.deep.equal([])
  })

  for (const given of ['hunter2hunter2', '', null, {vault: 'hunter2hunter2'}])
    it(`refuses ${JSON.stringify(given)} for a secret without repeating it`, () => {
      const [finding, ...more] = checkParameters(declarations, {namespace: 'a', token: given})
      expect(finding).to.include({rule: 'parameter_invalid', path: 'token'})
      expect(finding!.message).to.not.include('hunter2')
      expect(more).to.deep.equal([])
    })

  it('has nothing to say to a package that declares nothing', () => {
    expect(checkParameters(undefined, {anything: [1]})).to.deep.equal([])
  })

  it('does not coerce: the wire carries types', () => {
    expect(checkParameters(declarations, {namespace: 'a', replicas: '3'})).to.have.length(1)
  })

  it('gives up on patterns that would match for hours', () => {
    const slow = declare({name: 'a', type: 'string', schema: {pattern: '^(a|a)*$'}})
    const started = performance.now()
    const [finding] = checkParameters(slow, {a: `${'a'.repeat(60)}!`})
    expect(performance.now() - started).to.be.lessThan(10_000)
    expect(finding.message).to.include('takes too long')
    expect(checkParameters(slow, {a: 'aaa'})).to.deep.equal([])
  })

  it('checks patterns and formats like any other keyword', () => {
    const version = declare(
      {name: 'a', type: 'string', schema: {pattern: '^v[0-9]+$'}},
      {name: 'u', type: 'string', schema: {format: 'uri'}},
    )
    expect(checkParameters(version, {a: 'v12', u: 'https://x.example.com'})).to.deep.equal([])
    expect(checkParameters(version, {a: 'x', u: 'no uri'}).map(({path}) => path)).to.deep.equal(['a', 'u'])
  })

  it('keeps nothing of one package for the next: the same $id may come again', () => {
    const twice = [1, 2].map((minimum) =>
      declare({name: 'n', type: 'integer', schema: {$id: 'https://example.com/x', minimum}}),
    )
    expect(twice.map((declarations) => checkParameters(declarations, {n: 1}).length)).to.deep.equal([0, 1])
  })

  it('refuses schemas that are a program of their own, or that lie elsewhere', () => {
    for (const schema of [
      {enum: Array.from({length: 20_000}, (_, index) => index)},
      {$ref: 'https://example.com/x.json'},
    ]) {
      const [finding] = checkParameters(declare({name: 'n', type: 'integer', schema}), {n: 1})
      expect(finding.message).to.include('cannot be checked')
    }
  })

  it('says so when the schema of the package is not usable', () => {
    const [finding] = checkParameters(declare({name: 'a', type: 'string', schema: {minimun: 1}}), {a: 'x'})
    expect(finding.message).to.include('cannot be checked')
  })
})

describe('coerceParameter', () => {
  const [text, number, flag, list] = declare(
    {name: 't', type: 'string'},
    {name: 'n', type: 'number'},
    {name: 'f', type: 'boolean'},
    {name: 'l', type: 'array'},
  )

  it('reads text as the declared type, and never guesses', () => {
    expect(coerceParameter(text, '3')).to.equal('3')
    expect(coerceParameter(text, '')).to.equal('')
    expect(coerceParameter(number, '-1.5e3')).to.equal(-1500)
    expect(coerceParameter(flag, 'true')).to.equal(true)
    expect(coerceParameter(list, '[1, "a"]')).to.deep.equal([1, 'a'])
  })

  it('refuses what only looks like the type', () => {
    for (const value of ['', ' 1', '1 ', '1,5', 'NaN', 'Infinity', '1e999', '0x1', '01']) {
      expect(
        refusal(() => coerceParameter(number, value)),
        JSON.stringify(value),
      ).to.include('Parameter n is')
    }
    for (const value of ['yes', 'True', '1', ''])
      expect(refusal(() => coerceParameter(flag, value))).to.include('not true or false')
  })
})
