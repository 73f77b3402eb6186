import {hash} from 'node:crypto'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {layoutOf} from '../src/layout.ts'
import {ensureToken, readTokenDigests} from '../src/token.ts'
import {mkdirSync} from 'node:fs'

describe('token files', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'atomctl-token-'))
    file = join(directory, 'tokens')
  })
  afterEach(() => rmSync(directory, {recursive: true, force: true}))

  it('say whose a token is and what its holder may do', async () => {
    const digest = hash('sha256', 'the-first-token-here', 'hex')
    writeFileSync(file, 'the-first-token-here name=ann role=operator\nthe-first-token-here  name=ben\n')
    expect(await readTokenDigests(file)).to.deep.equal([
      {digest, name: 'ann', role: 'operator'},
      {digest, name: 'ben', role: 'admin'},
    ])
  })

  for (const line of ['role=king', 'name=', 'nmae=ann', 'name=a/b', 'ann operator'])
    it(`are refused with ${line} after a token`, async () => {
      writeFileSync(file, `the-first-token-here ${line}\n`)
      const error = await readTokenDigests(file).catch((thrown: unknown) => thrown)
      expect(error).to.include({code: 'INPUT_UNREADABLE'})
      expect(String(error)).not.to.contain('the-first-token-here')
    })

  it('hold tokens or their digests, with comments between', async () => {
    const digest = hash('sha256', 'the-second-token-here', 'hex')
    writeFileSync(file, `# one\nthe-first-token-here\r\n\n  sha256:${digest}\n`)
    expect(await readTokenDigests(file)).to.deep.equal([hash('sha256', 'the-first-token-here', 'hex'), digest])
  })

  const bad = {
    'nothing but comments': '# none\n',
    'a token that can be guessed': 'short\n',
    'a line with blanks': 'Bearer the-first-token-here\n',
    'a digest that is cut off': 'sha256:abc\n',
    'nothing at all': '',
  }
  for (const [what, text] of Object.entries(bad)) {
    it(`are refused with ${what}, without showing it`, async () => {
      writeFileSync(file, text)
      const error = await readTokenDigests(file).then(undefined, (reason: unknown) => reason)
      expect(error).to.include({code: 'INPUT_UNREADABLE'})
      if (text.trim() && !text.startsWith('#')) expect((error as Error).message).not.to.contain(text.trim())
    })
  }

  it('are made once: a second and a simultaneous call get the same token', async () => {
    const layout = layoutOf({HOME: directory})
    mkdirSync(layout.home, {recursive: true})
    const tokens = await Promise.all([ensureToken(layout), ensureToken(layout), ensureToken(layout)])
    expect(new Set([...tokens, await ensureToken(layout)]).size).to.equal(1)
    expect(readFileSync(layout.digestFile, 'utf8')).to.equal(`sha256:${hash('sha256', tokens[0], 'hex')}\n`)
  })
})
