import {readFileSync} from 'node:fs'
import {ERRORS} from '@atomctl/sdk/errors'
import {STORAGE_ERRORS} from '@atomctl/storage'
import {expect} from 'chai'
import {parseErrorSections} from '../../src/lib/error-sections.ts'

const CATALOGUE = {...STORAGE_ERRORS, ...ERRORS}
const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const written = page
  .split(/^### /m)
  .slice(1)
  .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section] as const)
const sections = new Map(written)

const explained = parseErrorSections(page)

describe('docs/errors.md', () => {
  it('has one section for every code of the catalogue and none besides', () => {
    expect(written.map(([code]) => code).toSorted()).to.deep.equal(Object.keys(CATALOGUE).toSorted())
  })

  for (const [code, {exit, summary}] of Object.entries(CATALOGUE)) {
    it(`tells the meaning, exit code, cause and cure of ${code}`, () => {
      const section = sections.get(code) ?? ''
      expect(section).to.include(summary)
      expect(section).to.match(new RegExp(`\\*\\*Exit code\\*\\* ${exit}\\b`))
      expect(section).to.match(/\*\*Cause\*\* \S/)
      expect(section).to.match(/\*\*Cure\*\* \S/)
    })

    it(`is read whole by atomctl explain ${code}`, () => {
      const {cause = '', cure = '', ...read} = explained.get(code) ?? {}
      expect(read).to.deep.equal({summary: `${summary}.`, exit})
      const text = (sections.get(code) ?? '').split(/^## /m)[0]?.replaceAll(/\s+/g, ' ').trim() ?? ''
      expect(text).to.include(`- **Cause** ${cause} - **Cure** ${cure}`)
      expect(text.endsWith(cure) || text.includes(`${cure} `)).to.equal(true)
    })
  }
})
