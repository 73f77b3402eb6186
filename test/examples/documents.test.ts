import {globSync, readFileSync} from 'node:fs'
import {basename} from 'node:path'
import {fileURLToPath} from 'node:url'
import {readDocument, type WpkDocument} from '@atomctl/wpk/document'
import {lint} from '@atomctl/wpk/lint'
import {expect} from 'chai'

const ROOT = fileURLToPath(new URL('../../examples/', import.meta.url))
const FILES = globSync('**/*.wpk.yaml', {cwd: ROOT}).sort()

/** Names of the handlers and rollback handlers of the five well-known playbooks (atom-protocol.md section 9). */
const PLAYBOOKS = {
  'restart-unhealthy': [
    ['collect-logs', 'collect-events', 'restart-deployment', 'verify-health'],
    ['rollback-deployment'],
  ],
  'scale-on-latency': [['check-load-spike', 'scale-deployment', 'monitor-latency'], ['rollback-scaling']],
  'rotate-secret': [
    ['generate-new-secret', 'update-k8s-secret', 'rolling-restart', 'verify-functionality', 'revoke-old-secret'],
    ['restore-old-secret'],
  ],
  'backup-verify': [['copy-backup-manifest', 'staging-restore', 'checksum-verify', 'report-results'], []],
  'requeue-job': [
    [
      'analyze-failure',
      'check-retry-count',
      'increment-retry-counter',
      'requeue-with-backoff',
      'escalate-if-max-retries',
    ],
    [],
  ],
} as const

interface Step {
  name: string
  type: string
  config: Record<string, unknown>
}

function load(file: string): WpkDocument {
  const {document, findings} = readDocument(readFileSync(`${ROOT}${file}`), file)
  expect(findings, file).to.deep.equal([])
  return document!
}

function stepsOf(document: WpkDocument): [Step[], Step[]] {
  const {handlers, rollback} = document.wpk.spec
  return [handlers, rollback?.handlers ?? []]
}

describe('the example packages', () => {
  it('are at least the twelve that the README lists', () => {
    expect(FILES).to.have.length.at.least(12)
  })

  for (const file of FILES) {
    describe(file, () => {
      it('has no finding of any kind, and the name of its file', () => {
        const document = load(file)
        expect(document.name).to.equal(basename(file, '.wpk.yaml'))
        expect(document.version).to.equal('1.0.0')
      })

      it('is approved by the security policy without a finding', () => {
        const report = lint(load(file).value)
        expect(report.findings).to.deep.equal([])
        expect(report).to.include({score: 0, decision: 'approve'})
      })

      it('quotes its date, which the original registry would not survive as a timestamp', () => {
        expect(readFileSync(`${ROOT}${file}`, 'utf8')).to.match(/^ {2}created: "\d{4}-\d\d-\d\dT[^"]+Z"$/m)
      })

      it('says how to run it, with every required parameter that is given', () => {
        const text = readFileSync(`${ROOT}${file}`, 'utf8')
        const comment = text.slice(0, text.indexOf('apiVersion:'))
        const document = load(file)
        expect(comment).to.contain(`atomctl run ${document.id} `)
        const required = (document.wpk.spec.parameters ?? []).filter(
          ({required, type}) => required && type !== 'secret',
        )
        for (const {name} of required) expect(comment, name).to.contain(`-p ${name}=`)
      })
    })
  }

  it('are all in the README', () => {
    const readme = readFileSync(`${ROOT}README.md`, 'utf8')
    for (const file of FILES) expect(readme).to.contain(`[${basename(file, '.wpk.yaml')}](`)
  })
})

describe('the five well-known playbooks', () => {
  for (const [name, [handlers, rollback]] of Object.entries(PLAYBOOKS)) {
    it(`${name} keeps its handlers in their order`, () => {
      const [steps, undoing] = stepsOf(load(`${name}.wpk.yaml`))
      expect(steps.map((step) => step.name)).to.deep.equal(handlers)
      expect(undoing.map((step) => step.name)).to.deep.equal(rollback)
    })

    it(`${name} names every target through a declared parameter, so nothing acts on a default`, () => {
      const kubernetes = stepsOf(load(`${name}.wpk.yaml`))
        .flat()
        .filter(({type}) => type === 'k8s')
      for (const {name: step, config} of kubernetes) {
        expect(config['namespace'], step).to.equal('${NAMESPACE}')
        const {manifest} = config as {manifest?: {metadata: {name: string}}}
        const target = config['resource_name'] ?? config['selector'] ?? manifest?.metadata.name
        expect(target, step).to.match(/\$\{[A-Z_]+\}/)
      }
    })
  }
})
