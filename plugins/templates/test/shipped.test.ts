import {readFileSync} from 'node:fs'
import {readDocument, SCHEMA_ID, type WpkDocument} from '@atomctl/wpk/document'
import {lint} from '@atomctl/wpk/lint'
import {expect} from 'chai'
import {fillTemplate} from '../src/fill.ts'
import {readShipped, shippedNames} from '../src/shipped.ts'

const NAMES = await shippedNames()
const PROMISED = [
  'hello',
  'restart',
  'scale-on-latency',
  'rotate-secret',
  'backup-verify',
  'requeue-job',
  'drain-node',
  'canary-rollback',
  'certificate-renewal',
  'disk-cleanup',
  'database-failover',
  'incident-snapshot',
  'http-smoke-test',
]

function check(text: string, name: string): WpkDocument {
  const {document, findings} = readDocument(Buffer.from(text), name)
  expect(findings, name).to.deep.equal([])
  expect(lint(document!.value).findings, name).to.deep.equal([])
  return document!
}

describe('the templates that come with atomctl', () => {
  it('are the promised ones', () => {
    expect(NAMES).to.include.members(PROMISED)
  })

  for (const name of NAMES) {
    const text = readFileSync(new URL(`../templates/${name}.wpk.yaml`, import.meta.url), 'utf8')

    it(`${name} has its own name and no finding of any kind, before and after it is filled in`, async () => {
      expect(check(text, name).name).to.equal(name)
      const values = new Map([['description', 'My "own"']])
      const filled = await fillTemplate(await readShipped(name), {
        name: 'mine',
        author: 'Ada',
        created: '2026-01-02T03:04:05Z',
        values,
      })
      expect(check(filled, name).wpk.metadata).to.include({name: 'mine', author: 'Ada', description: 'My "own"'})
    })

    it(`${name} tells editors its schema and people how to run it, with every required parameter`, () => {
      expect(text.split('\n')[0]).to.equal(`# yaml-language-server: $schema=${SCHEMA_ID}`)
      const head = text.slice(0, text.indexOf('apiVersion:'))
      expect(head).to.contain('atomctl run THIS-FILE')
      const {parameters = []} = check(text, name).wpk.spec
      expect(parameters, 'parameters').not.to.deep.equal([])
      for (const parameter of parameters) {
        expect(parameter.description, parameter.name).to.match(/\w{3}/)
        if (parameter.required) expect(head).to.contain(`-p ${parameter.name}=`)
      }
    })

    it(`${name} says how its changes are taken back, or changes nothing that could be`, () => {
      const {spec} = check(text, name).wpk
      const undone = (spec.rollback?.handlers ?? []).map(({undoes}) => undoes)
      expect(undone).not.to.include(undefined)
      const READ_ONLY = ['hello', 'http-smoke-test', 'incident-snapshot', 'backup-verify', 'requeue-job']
      expect(undone.length > 0, 'has a rollback').to.equal(!READ_ONLY.includes(name))
    })
  }
})
