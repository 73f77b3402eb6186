import {expect} from 'chai'
import fc from 'fast-check'
import {deleteYamlValue, parseYaml, setYamlValue} from '@atomctl/wpk/document'

import {encode} from './documents.ts'

const valueOf = (text: string) => parseYaml(encode(text), 'x').value

describe('setYamlValue', () => {
  it('keeps comments and order', () => {
    const text =
      '# mine\ncurrent: dev # the default\ncontexts:\n  # local\n  dev:\n    registry: http://localhost:8000\n'
    expect(setYamlValue(text, ['current'], 'prod')).to.equal(text.replace('dev #', 'prod #'))
    expect(setYamlValue(text, ['contexts', 'prod'], {registry: 'https://r.example.com'})).to.equal(
      `${text}  prod:\n    registry: "https://r.example.com"\n`,
    )
  })

  it('starts a file that is empty or holds only comments', () => {
    expect(setYamlValue('', ['a', 'b'], 'c')).to.equal('a:\n  b: c\n')
    expect(valueOf(setYamlValue('# settings\n', ['a'], [1]))).to.deep.equal({a: [1]})
    expect(setYamlValue('# settings\n', ['a'], 1)).to.include('# settings')
  })

  it('quotes whatever readers disagree on, keys included', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('yes', 'on', '0755', '22:22', '1e3', '~', '2024-01-15', '', 'a: b', '#', ' x'),
        (word) => {
          expect(valueOf(setYamlValue('a: 1\n', [word === '' ? 'e' : word, 'in'], word))).to.deep.equal({
            a: 1,
            [word === '' ? 'e' : word]: {in: word},
          })
        },
      ),
    )
  })

  it('replaces a value of any kind by one of any kind', () => {
    expect(valueOf(setYamlValue('a:\n  b: 1\nc: 2\n', ['a'], 'x'))).to.deep.equal({a: 'x', c: 2})
    expect(valueOf(setYamlValue('a: x\n', ['a'], {b: [true]}))).to.deep.equal({a: {b: [true]}})
  })

  it('refuses a parent that is no mapping, an empty path, and what is no YAML', () => {
    expect(() => setYamlValue('a: text\n', ['a', 'b'], 1)).to.throw(/a is not a mapping/)
    expect(() => setYamlValue('- 1\n', ['a'], 1)).to.throw(/not a mapping/)
    expect(() => setYamlValue('a: 1\n', [], 1))
      .to.throw()
      .with.property('code', 'WPK_INVALID')
    expect(() => setYamlValue('a: {\n', ['a'], 1))
      .to.throw()
      .with.property('code', 'WPK_INVALID')
  })
})

describe('deleteYamlValue', () => {
  it('removes one key and keeps the rest', () => {
    expect(deleteYamlValue('# c\na: 1 # x\nb: 2\n', ['b'])).to.equal('# c\na: 1 # x\n')
    expect(valueOf(deleteYamlValue('a:\n  b: 1\n  c: 2\n', ['a', 'b']))).to.deep.equal({a: {c: 2}})
  })

  it('leaves a text without that key as it is, to the byte', () => {
    const text = 'a:    1   # odd\n\n\nb:   [ 1,2 ]\n'
    expect(deleteYamlValue(text, ['x', 'y'])).to.equal(text)
    expect(deleteYamlValue(text, ['a', 'y'])).to.equal(text)
  })
})
