import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {ROOT} from '../../scripts/rooms.ts'

interface Proof {
  readonly file: string
  readonly title: string
}

const page = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8').replaceAll(/\n +/g, ' ')

/** Every `path/x.test.ts`: "title"; "another title". */
function proofsIn(text: string): Proof[] {
  return [...text.matchAll(/`([\w./-]+\.test\.ts)`: ((?:"[^"]+"(?:; )?)+)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({file, title})),
  )
}

describe('docs/threat-model.md', () => {
  it('names tests that exist, by their titles', () => {
    const proofs = proofsIn(page)
    expect(proofs).to.have.length.greaterThan(30)
    for (const {file, title} of proofs) {
      const source = readFileSync(join(ROOT, file), 'utf8').replaceAll("\\'", "'")
      expect(source.includes(title), `${file}: ${title}`).to.equal(true)
    }
  })

  it('names a test for every claim of what is protected', () => {
    const table = page.slice(page.indexOf('## What is protected'), page.indexOf('## What is not protected'))
    const rows = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| claim'))
    expect(rows).to.have.length.greaterThan(15)
    for (const row of rows) expect(proofsIn(row), row).not.to.deep.equal([])
  })
})
