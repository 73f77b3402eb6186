import {readFileSync} from 'node:fs'
import {HANDLER_TYPES, K8S_ACTIONS, readDocument} from '@atomctl/wpk/document'
import {LINT_RULES, POINTS} from '../../packages/wpk/src/lint/catalogue.ts'
import {expect} from 'chai'
import {listFiles, ROOT} from '../../scripts/rooms.ts'

const page = readFileSync(`${ROOT}/docs/format.md`, 'utf8')

/** Rule ids that the sources report, by their prefix. */
function rulesInSources(pattern: RegExp): string[] {
  const sources = listFiles(`${ROOT}/packages/wpk/src/document`, '.ts').map((file) => readFileSync(file, 'utf8'))
  return [...new Set(sources.flatMap((source) => [...source.matchAll(pattern)].map((match) => match[1] ?? '')))]
}

describe('docs/format.md', () => {
  it('lists every rule of the gate and of the schema', () => {
    const rules = rulesInSources(/'((?:yaml|schema)_[a-z_]+)'/g)
    expect(rules).to.have.length.greaterThan(15)
    expect(rules.filter((rule) => !page.includes(`\`${rule}\``))).to.deep.equal([])
  })

  it('lists every semantic rule', () => {
    const rules = rulesInSources(/finding\(\s*'(?:error|warning|info)',\s*'([a-z0-9_]+)'/g)
    expect(rules).to.have.length.greaterThan(15)
    expect(rules.filter((rule) => !page.includes(`\`${rule}\``))).to.deep.equal([])
  })

  it('lists every rule of the security lint with its points', () => {
    for (const [rule, {level}] of Object.entries(LINT_RULES))
      expect(page).to.include(`| \`${rule}\` | ${POINTS[level]} |`)
  })

  it('names every handler type and every k8s action', () => {
    for (const name of [...HANDLER_TYPES, ...K8S_ACTIONS]) expect(page).to.include(`\`${name}\``)
  })

  it('opens with a package that is valid', () => {
    const yaml = /```yaml\n(apiVersion[\s\S]*?)```/.exec(page)?.[1] ?? ''
    const {document, findings} = readDocument(Buffer.from(yaml), 'docs/format.md')
    expect(findings.filter(({severity}) => severity === 'error')).to.deep.equal([])
    expect(document?.id).to.equal('hello-shell-1.0.0')
  })
})
