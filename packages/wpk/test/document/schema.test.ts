import {createRequire} from 'node:module'

import {expect} from 'chai'
import type {Ajv, ValidateFunction} from 'ajv'
import {parse} from 'yaml'
import {explainField, HANDLER_TYPES, jsonSchema, K8S_ACTIONS, wpkSchema} from '@atomctl/wpk/document'

import {playbooks} from '../vectors.ts'
import {handlerText, packageText, read} from './documents.ts'

function compile(): ValidateFunction {
  const {Ajv: Constructor} = createRequire(import.meta.url)('ajv') as {Ajv: new (options: object) => Ajv}
  return new Constructor({strict: false, allErrors: true}).compile(jsonSchema())
}

describe('jsonSchema', () => {
  const validate = compile()
  const accepts = (text: string) => validate(parse(text))

  it('is draft-07, closed, and open for x- keys', () => {
    const schema = jsonSchema()
    expect(schema).to.include({$schema: 'http://json-schema.org/draft-07/schema#', additionalProperties: false})
    expect(schema['patternProperties']).to.deep.equal({'^x-': {}})
    expect(JSON.stringify(schema)).to.not.match(/"closed"|"handler":true/)
  })

  it('agrees with readDocument on shapes, right and wrong', () => {
    const k8s = (config: string) => packageText({handlers: handlerText('name: a', 'type: k8s', `config: {${config}}`)})
    const texts = [
      packageText(),
      packageText({metadata: '  x-team: sre\n'}),
      k8s('action: scale, resource_name: web, replicas: 3'),
      packageText().replace('say-hello', 'Say Hello'),
      packageText().replace('"1.0.0"', '"1.0"'),
      packageText({metadata: '  licence: MIT\n'}),
      packageText().replace('command', 'comand'),
      packageText().replace('mode: manual', 'mode: sometimes'),
      packageText({handlers: '    []\n'}),
      k8s('action: scale, resource_name: web, replicas: many'),
      k8s('action: restart, resource_name: web, revision: 3'),
      k8s('action: fly, resource_name: web'),
    ]
    const verdicts = texts.map((text) => accepts(text))
    expect(verdicts).to.deep.equal(texts.map((text) => read(text).document !== undefined))
    expect(verdicts.filter(Boolean)).to.have.length(3)
  })

  it('accepts the well-known playbooks', function () {
    const files = playbooks()
    if (files.size === 0) return this.skip()
    for (const [file, bytes] of files) expect(accepts(new TextDecoder().decode(bytes)), file).to.equal(true)
  })

  it("is the caller's own copy", () => {
    delete jsonSchema().properties
    expect(jsonSchema().properties).to.have.keys('apiVersion', 'kind', 'metadata', 'spec')
  })
})

describe('wpkSchema', () => {
  it('parses a value on its own, for those who have no text', () => {
    expect(wpkSchema.safeParse(parse(packageText())).success).to.equal(true)
    expect(wpkSchema.safeParse({...(parse(packageText()) as object), extra: 1}).success).to.equal(false)
    expect(wpkSchema.safeParse({...(parse(packageText()) as object), 'x-extra': 1}).success).to.equal(true)
  })
})

describe('explainField', () => {
  it('documents a mapping with its fields', () => {
    const metadata = explainField('wpk.metadata')!
    expect(metadata).to.include({path: 'wpk.metadata', type: 'mapping', required: true})
    expect(metadata.fields.find(({name}) => name === 'version')).to.include({type: 'string', required: true})
  })

  it('looks into lists, with or without an index, and with or without the leading wpk', () => {
    for (const path of ['wpk.spec.handlers.name', 'spec.handlers[0].name', 'spec.handlers[].name']) {
      expect(explainField(path)!.description).to.match(/unique/)
    }
    expect(explainField('spec.safety.mode')!.type).to.equal('one of manual, auto')
  })

  it('leads from handlers over types to k8s actions', () => {
    expect(explainField('wpk.spec.handlers')!.topics).to.deep.equal([...HANDLER_TYPES])
    expect(explainField('wpk.spec.handlers.k8s')!.topics).to.deep.equal([...K8S_ACTIONS])
    for (const type of HANDLER_TYPES)
      expect(explainField(`wpk.spec.handlers.${type}`)!.fields, type).to.not.deep.equal([])
    for (const action of K8S_ACTIONS) {
      const doc = explainField(`wpk.spec.handlers.k8s.${action}`)!
      expect(doc.description, action).to.not.equal('')
      expect(
        doc.fields.map(({name}) => name),
        action,
      ).to.include('namespace')
    }
  })

  it('describes every field there is', () => {
    const undescribed: string[] = []
    const visit = (path: string) => {
      for (const {name, description} of explainField(path)!.fields) {
        if (description === '') undescribed.push(`${path}.${name}`)
        visit(`${path}.${name}`)
      }
    }
    visit('wpk')
    expect(undescribed).to.deep.equal([])
  })

  it('knows nothing of what is not in the format', () => {
    for (const path of [
      'wpk.nope',
      'spec.handlers.vm',
      'metadata.name.more',
      'wpk.__proto__',
      'spec.handlers.constructor',
    ]) {
      expect(explainField(path), path).to.equal(undefined)
    }
  })
})
