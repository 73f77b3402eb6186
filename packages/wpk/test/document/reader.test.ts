import {expect} from 'chai'
import {documentFromJson, loadDocument, parseYaml, readDocument} from '@atomctl/wpk/document'
import type {Finding} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'
import type {JsonObject} from '@atomctl/wpk/canonical'

import {playbooks} from '../vectors.ts'
import {encode, packageText, read, rulesOf, summarize} from './documents.ts'

const messages = (findings: readonly Finding[]) => findings.map(({message}) => message)

function errorOf(run: () => unknown): {code: string; message: string; hint: string | undefined; findings: Finding[]} {
  try {
    run()
  } catch (error) {
    if (!isAtomError(error)) throw error
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      findings: error.details!['findings'] as Finding[],
    }
  }
  throw new Error('nothing was thrown')
}

describe('readDocument', () => {
  it('returns a valid package with its id, value and text', () => {
    const text = packageText()
    const {document, findings} = read(text)
    expect(findings).to.deep.equal([])
    expect(document).to.include({
      name: 'say-hello',
      version: '1.0.0',
      id: 'say-hello-1.0.0',
      text,
      source: 'test.wpk.yaml',
    })
    expect(document!.wpk.spec.handlers[0].name).to.equal('hello')
    expect(document!.locate('spec.handlers[0].name')).to.deep.equal({line: 12, column: 13})
  })

  it('validates the five well-known playbooks: warnings, no errors', function () {
    const files = playbooks()
    if (files.size === 0) return this.skip()
    expect([...files.keys()]).to.have.length(5)
    for (const [file, bytes] of files) {
      const {document, findings} = readDocument(bytes, file)
      expect(summarize(findings.filter(({severity}) => severity === 'error')), file).to.deep.equal([])
      expect(document?.id).to.equal(`${file.replace('.wpk.yaml', '')}-1.0.0`)
    }
  })

  it('warns in the playbooks of what their runs must be told, and of what no kubectl command does', function () {
    const files = playbooks()
    if (files.size === 0) return this.skip()
    const rules = (name: string) => rulesOf(readDocument(files.get(`${name}.wpk.yaml`)!, name).findings)
    expect(rules('restart-unhealthy')).to.include('k8s_target_undetermined')
    expect(rules('backup-verify')).to.include('k8s_action_unsupported')
    expect(rules('rotate-secret')).to.not.include('k8s_target_undetermined')
  })

  it('says what is missing in the words of the original tool', () => {
    const found = messages(
      read('apiVersion: v1\nspec:\n  handlers:\n    - name: a\n      type: shell\n    - type: shell\n').findings,
    )
    expect(found).to.include.members([
      'Missing required field: kind',
      'Missing required field: metadata',
      'Missing required field: spec.runtime',
      'Handler 0: missing config',
      'Handler 1: missing name',
    ])
    expect(messages(read(packageText({handlers: '    []\n'})).findings)).to.deep.equal(['No handlers defined'])
    expect(messages(read(packageText().replace(/ {2}handlers:[^]*/, '')).findings)).to.deep.equal([
      'No handlers defined',
    ])
  })

  it('reports gate and schema findings of one file together, in the order of the text', () => {
    const text = packageText({metadata: '  created: 2024-01-15\n  licence: MIT\n'}).replace(
      'mode: manual',
      'mode: automatic',
    )
    expect(summarize(read(text).findings)).to.deep.equal([
      '8:12 error yaml_ambiguous metadata.created',
      '9:12 error schema_unknown_key metadata.licence',
      '12:18 error schema_value spec.safety.mode',
    ])
  })

  it('reports handlers that cannot run even beside a wrong version or an unknown field', () => {
    const text = packageText({metadata: '  licence: MIT\n'})
      .replace('"1.0.0"', '1.0')
      .replace('type: shell\n', 'type: shel\n')
    expect(rulesOf(read(text).findings)).to.deep.equal(['schema_type', 'schema_unknown_key', 'handler_type_unknown'])
  })

  it('never trips over values of the wrong type while it looks for more', () => {
    const parts = [
      'parameters: [{name: a, type: text, default: 1}]',
      'parameters: 7',
      'triggers: [7]',
      'rollback: {handlers: [1]}',
      'monitoring: {alerts: [{}]}',
      'validation: {required_permissions: [1]}',
    ]
    for (const part of parts) expect(read(packageText({spec: `  ${part}\n`})).findings, part).to.not.deep.equal([])
    for (const line of ['created: 7', 'created: null', 'tags: [1]', 'signature: null']) {
      expect(rulesOf(read(packageText({metadata: `  ${line}\n`})).findings), line).to.deep.equal(['schema_type'])
    }
  })

  it('gives no value when the gate refuses, and a value without document when only the schema does', () => {
    expect(read('a: yes\n').value).to.equal(undefined)
    expect(read('a: b\n'))
      .to.deep.include({value: {a: 'b'}})
      .and.not.have.property('document')
    expect(read('- a\n')).to.not.have.any.keys('value', 'document')
  })

  it('suggests what a misspelt field was meant to be', () => {
    const {findings} = read(packageText({metadata: '  versoin: "1.0.0"\n'}).replace('mode: manual', 'mode: manaul'))
    expect(findings.map(({suggestion}) => suggestion)).to.deep.equal(['did you mean version?', 'did you mean manual?'])
  })

  it('takes any key that starts with x-, anywhere', () => {
    const text = packageText({metadata: '  x-team: {a: [1]}\n', spec: '  x-more: 1\n'}).replace(
      '{type: shell}',
      '{type: shell, x-a: b}',
    )
    expect(read(text).findings).to.deep.equal([])
  })

  const wrong: [string, string, string, string][] = [
    ['a name with capitals', 'name: say-hello', 'name: Say', 'schema_value metadata.name'],
    ['a name that ends in a line break', 'name: say-hello', 'name: "say-hello\\n"', 'schema_value metadata.name'],
    ['a name that leaves the folder', 'name: say-hello', 'name: ../evil', 'schema_value metadata.name'],
    ['a version of two numbers', '"1.0.0"', '"1.0"', 'schema_value metadata.version'],
    ['a version that ends in a line break', '"1.0.0"', '"1.0.0\\n"', 'schema_value metadata.version'],
    ['a version with leading zeros', '"1.0.0"', '"01.0.0"', 'schema_value metadata.version'],
    ['a pre-release version', '"1.0.0"', '"1.0.0-rc.1"', 'schema_value metadata.version'],
    ['a version that is a number', '"1.0.0"', '1.5', 'schema_type metadata.version'],
    ['another apiVersion', 'apiVersion: v1', 'apiVersion: v2', 'schema_value apiVersion'],
    ['another kind', 'kind: WorkflowPackage', 'kind: Workflow', 'schema_value kind'],
    ['an unknown runtime', 'type: shell}', 'type: mainframe}', 'schema_value spec.runtime.type'],
    ['a spec that is null', 'spec:', 'spec: null\nx-spec:', 'schema_type spec'],
    ['a config that is text', 'config: {command: echo hello}', 'config: echo', 'schema_type spec.handlers[0].config'],
    [
      'a config without command',
      '{command: echo hello}',
      '{cwd: /tmp}',
      'schema_required spec.handlers[0].config.command',
    ],
    [
      'an unknown config key',
      '{command: echo hello}',
      '{command: a, comand: b}',
      'schema_unknown_key spec.handlers[0].config.comand',
    ],
    [
      'a timeout without unit',
      'type: shell\n',
      'type: shell\n      timeout: "30"\n',
      'schema_value spec.handlers[0].timeout',
    ],
    [
      'no attempts',
      'type: shell\n',
      'type: shell\n      retry: {max_attempts: 0}\n',
      'schema_value spec.handlers[0].retry.max_attempts',
    ],
    [
      'a suppression without a reason',
      'type: shell\n',
      'type: shell\n      x-atom-ignore: [{rule: external_network}]\n',
      'schema_required spec.handlers[0].x-atom-ignore[0].reason',
    ],
  ]
  for (const [what, from, to, expected] of wrong) {
    it(`refuses ${what}`, () => {
      const {document, findings} = read(packageText().replace(from, to))
      expect(document).to.equal(undefined)
      const seen = findings.filter(({severity}) => severity === 'error').map(({rule, path}) => `${rule} ${path}`)
      expect(seen).to.include(expected)
    })
  }

  it('never prints long values in full', () => {
    const [finding] = read(packageText().replace('v1', 'x'.repeat(5000))).findings
    expect(finding.message.length).to.be.lessThan(200)
  })
})

describe('loadDocument', () => {
  it('throws WPK_UNREADABLE for what the gate refuses, with the command that fixes it', () => {
    const error = errorOf(() => loadDocument(encode(packageText({metadata: '  created: 2024-01-15\n'})), 'a.wpk.yaml'))
    expect(error).to.include({code: 'WPK_UNREADABLE', hint: 'atomctl validate --fix a.wpk.yaml'})
    expect(error.message).to.include('8:12').and.include('"2024-01-15"')
    expect(rulesOf(error.findings)).to.deep.equal(['yaml_ambiguous'])
  })

  it('throws WPK_INVALID for what the schema refuses', () => {
    const error = errorOf(() => loadDocument(encode('a: b\n'), 'a.wpk.yaml'))
    expect(error).to.include({code: 'WPK_INVALID', hint: 'atomctl validate a.wpk.yaml'})
    expect(error.message).to.include('more)')
  })

  it('returns documents that have only warnings', () => {
    expect(loadDocument(encode(packageText({metadata: '  created: yesterday\n'})), 'x').name).to.equal('say-hello')
  })
})

describe('documentFromJson', () => {
  const value = () => parseYaml(encode(packageText()), 'x').value as JsonObject

  it('makes the same document as the text, without positions', () => {
    const {document, findings} = documentFromJson(value(), 'registry')
    expect(findings).to.deep.equal([])
    expect(document).to.deep.include({id: 'say-hello-1.0.0', value: value()})
    expect(document!.locate('metadata')).to.equal(undefined)
    expect(JSON.parse(new TextDecoder().decode(document!.bytes))).to.deep.equal(value())
  })

  const hostile: [string, (json: JsonObject) => unknown][] = [
    ['a missing part', ({metadata}) => ({metadata: metadata ?? null})],
    [
      'a key that reaches into prototypes',
      (json) => JSON.parse(JSON.stringify({...json, 'x-a': 1}).replace('x-a', '__proto__')),
    ],
    ['half of a surrogate pair', (json) => ({...json, 'x-a': '\uD800'})],
    ['a key that is not NFC', (json) => ({...json, 'x-e\u0301': 1})],
    ['deep nesting', (json) => ({...json, 'x-a': JSON.parse('['.repeat(70) + ']'.repeat(70)) as unknown})],
    ['too many values', (json) => ({...json, 'x-a': Array(60_000).fill(1)})],
    ['a list', () => []],
    ['null', () => null],
  ]
  for (const [what, change] of hostile) {
    it(`refuses ${what}`, () => {
      const {document, findings} = documentFromJson(change(value()) as JsonObject, 'registry')
      expect(document).to.equal(undefined)
      expect(findings).to.not.deep.equal([])
    })
  }
})
