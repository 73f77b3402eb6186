import {expect} from 'chai'
import fc from 'fast-check'
import {expandPlaceholders, placeholdersIn} from '@atomctl/wpk/parameters'

import {refusal} from './declarations.ts'

describe('expandPlaceholders', () => {
  const values = {namespace: 'prod', replicas: 3, labels: {a: [1]}, VAULT_ADDR: 'https://v'}

  it('fills ${NAME} and ${params.name} from the parameters', () => {
    expect(expandPlaceholders('${NAMESPACE}/${params.namespace}/${namespace}', values)).to.equal('prod/prod/prod')
    expect(expandPlaceholders('${VAULT_ADDR}/v1', values)).to.equal('https://v/v1')
  })

  it('writes other values as JSON', () => {
    expect(expandPlaceholders('${REPLICAS} ${LABELS}', values)).to.equal('3 {"a":[1]}')
  })

  it('asks the environment for ${NAME} that is no parameter, and for nothing else', () => {
    const environment = (name: string) => (name === 'HOME' ? '/home/a' : undefined)
    expect(expandPlaceholders('${HOME}', values, environment)).to.equal('/home/a')
    expect(refusal(() => expandPlaceholders('${params.HOME}', values, environment))).to.include('${params.HOME}')
  })

  it('never expands what a value holds', () => {
    expect(expandPlaceholders('${A}${B}', {a: '${B}', b: '$&$1'})).to.equal('${B}$&$1')
  })

  it('refuses what nothing fills, names of prototypes included', () => {
    for (const text of [
      '${MISSING}',
      '${params.missing}',
      '${}',
      '${a b}',
      '${constructor}',
      '${__proto__}',
      '${params.toString}',
    ]) {
      expect(
        refusal(() => expandPlaceholders(text, values)),
        text,
      ).to.include('Nothing gives a value')
    }
  })

  it('leaves text without placeholders as it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('${')),
        (text) => {
          expect(expandPlaceholders(text, values)).to.equal(text)
        },
      ),
    )
  })
})

describe('placeholdersIn', () => {
  it('finds every placeholder with the place of its string', () => {
    const found = placeholdersIn({url: '${A}/${params.b}', list: [{c: 'x ${D}'}], n: 1, none: '$E {F}'}, 'config')
    expect(found).to.deep.equal([
      {name: 'A', path: 'config.url'},
      {name: 'params.b', path: 'config.url'},
      {name: 'D', path: 'config.list[0].c'},
    ])
  })

  it('finds none in keys, and in values without strings', () => {
    expect(placeholdersIn({'${A}': 1, b: [null, true]})).to.deep.equal([])
  })
})
