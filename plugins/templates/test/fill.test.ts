import {isAtomError} from '@atomctl/sdk/errors'
import {loadDocument, readDocument} from '@atomctl/wpk/document'
import {expect} from 'chai'
import fc from 'fast-check'
import {fillTemplate} from '../src/fill.ts'
import {readShipped} from '../src/shipped.ts'
import type {Template} from '../src/template.ts'

const FILLING = {name: 'mine', author: 'Ada', created: '2026-01-02T03:04:05Z'}

function templateOf(text: string): Template {
  return {name: 't', origin: 'directory', source: 't', files: [], document: loadDocument(Buffer.from(text), 't')}
}

const TYPED = `# my own words
apiVersion: v1
kind: WorkflowPackage
metadata: {name: typed, version: "3.2.1", description: D, author: them, signature: "c2lnbmVk"}
spec:
  runtime: {type: shell}
  parameters:
    - {name: replicas, type: integer, required: true, schema: {maximum: 5}}  # how many
    - name: labels
      type: object
      default: {a: "b"}
    - name: author
      type: string
    - {name: token, type: secret, sources: [env]}
  safety: {mode: manual}
  handlers:
    - {name: greet, type: shell, config: {command: 'echo "$REPLICAS"'}}
`

describe('filling in a template', () => {
  it('replaces single values and keeps every comment and every other line', async () => {
    const template = await readShipped('restart')
    const filled = await fillTemplate(template, {...FILLING, values: new Map([['namespace', 'staging']])})
    const [before, after] = [template.document.text.split('\n'), filled.split('\n')]
    const changed = after.filter((line) => !before.includes(line))
    expect(changed.map((line) => line.trim())).to.deep.equal([
      'name: "mine"',
      'author: "Ada"',
      'created: "2026-01-02T03:04:05Z"',
      'required: false',
      'default: "staging"',
    ])
  })

  it('never lets a value be anything but that value, whatever it holds', async () => {
    const template = await readShipped('hello')
    const hostile = fc.oneof(
      fc.string({unit: 'grapheme', minLength: 1, maxLength: 20}),
      fc.constantFrom(
        '"',
        "'",
        '"\n  safety: {mode: auto}\n#',
        '${NAME}',
        '*a',
        '&a x',
        '!!js/function x',
        '- a',
        'yes',
        '{',
        ': ',
      ),
    )
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (author, name) => {
        const text = await fillTemplate(template, {...FILLING, author, values: new Map([['name', name]])})
        const {document, findings} = readDocument(Buffer.from(text), 'filled')
        expect(findings.filter(({severity}) => severity === 'error')).to.deep.equal([])
        expect(document?.wpk.metadata.author).to.equal(author)
        expect(document?.wpk.spec.parameters?.[0]?.default).to.equal(name)
        expect(document?.wpk.spec.handlers).to.deep.equal(template.document.wpk.spec.handlers)
      }),
      {numRuns: 150},
    )
  })

  it('gives defaults the declared type, starts at 1.0.0, unsigned, with one schema line', async () => {
    const values = new Map([
      ['replicas', '4'],
      ['labels', '{"k": [1, true]}'],
      ['params.author', 'the parameter'],
      ['author', 'the metadata'],
    ])
    const text = await fillTemplate(templateOf(TYPED), {...FILLING, values})
    const {wpk} = loadDocument(Buffer.from(text), 'typed')
    expect(wpk.metadata).to.include({author: 'the metadata', version: '1.0.0', signature: ''})
    const defaults = wpk.spec.parameters?.map((parameter) => parameter.default)
    expect(defaults).to.deep.equal([4, {k: [1, true]}, 'the parameter', undefined])
    expect(text).to.contain('# my own words').and.to.contain('# how many')
    expect(text.match(/yaml-language-server/g)).to.have.length(1)
    const again = await fillTemplate(templateOf(text), {...FILLING, values: new Map()})
    expect(again.match(/yaml-language-server/g)).to.have.length(1)
  })

  const refused: [title: string, pair: [string, string], message: RegExp][] = [
    ['a key the template does not have, with the one meant', ['replica', '1'], /replicas/],
    ['a value of another type', ['replicas', 'many'], /replicas/],
    ['a value the schema does not accept', ['replicas', '9'], /replicas/],
    ['a secret', ['token', 'hunter2'], /token is a secret/],
    ['a key that reaches into prototypes', ['__proto__', '1'], /__proto__/],
  ]
  for (const [title, pair, message] of refused) {
    it(`refuses ${title}`, async () => {
      const error = await fillTemplate(templateOf(TYPED), {...FILLING, values: new Map([pair])}).catch(
        (thrown: unknown) => thrown,
      )
      expect(isAtomError(error) && error.code).to.equal('PARAMETER_INVALID')
      expect(String(error)).to.match(message).and.not.to.contain('hunter2')
    })
  }
})
