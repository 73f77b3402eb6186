import {type Provenance, readStatement, signDocument} from '@atomctl/wpk/signing'
import {verifyDocument} from '@atomctl/wpk/trust'
import {expect} from 'chai'
import {writeStatement} from '../../src/signing/statement.ts'
import {trustAlice} from '../trust/fixtures.ts'
import {forged, type Statement} from '../trust/forgeries.ts'
import {catchError, documentOf, expectError, testKey} from './fixtures.ts'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'

const FULL: Provenance = {
  builder: 'github-actions',
  actor: 'octocat',
  builtAt: '2026-06-01T12:00:00.000Z',
  source: {repository: 'https://github.com/acme/runbooks', commit: COMMIT, dirty: false},
  run: {id: '42', url: 'https://github.com/acme/runbooks/actions/runs/42'},
}
const LEAST: Provenance = {builder: 'local', builtAt: '2026-06-01T12:00:00Z'}

describe('provenance in a signature', () => {
  for (const provenance of [FULL, LEAST])
    it(`says what was stated: ${provenance.builder}`, async () => {
      const {signer} = await testKey('alice')
      const {document} = await signDocument(documentOf(), signer, {provenance})
      const {verification} = verifyDocument(document, await trustAlice())
      expect(verification.provenance).to.deep.equal(provenance)
    })

  it('is absent where nothing was stated', async () => {
    const {document} = await signDocument(documentOf(), (await testKey('alice')).signer)
    expect(verifyDocument(document, await trustAlice()).verification).not.to.have.property('provenance')
    expect(readStatement(Buffer.from(JSON.stringify(writeStatement(documentOf())))).provenance).to.equal(undefined)
  })

  const malformed: [what: string, value: unknown][] = [
    ['no object', 'github'],
    ['an unknown field', {...FULL, level: 3}],
    ['no builder', {builtAt: FULL.builtAt}],
    ['an empty builder', {...FULL, builder: ''}],
    ['a time that is none', {...FULL, builtAt: 'yesterday'}],
    ['a time in another zone', {...FULL, builtAt: '2026-06-01T12:00:00+02:00'}],
    ['a time on no calendar', {...FULL, builtAt: '2026-13-01T12:00:00Z'}],
    ['a commit that is a branch', {...FULL, source: {commit: 'main', dirty: false}}],
    ['no word about changes', {...FULL, source: {commit: COMMIT}}],
    [
      'credentials in the repository',
      {...FULL, source: {...FULL.source, repository: 'https://me:secret@github.com/a/b'}},
    ],
    ['a repository that is a file', {...FULL, source: {...FULL.source, repository: 'file:///home/me'}}],
    ['a script as the page of the run', {...FULL, run: {id: '1', url: 'javascript:alert(1)'}}],
    ['a control character', {...FULL, actor: 'me\u001b[2J'}],
    ['text that reads backwards', {...FULL, actor: 'me\u202e'}],
    ['very long text', {...FULL, actor: 'x'.repeat(3000)}],
  ]
  for (const [what, value] of malformed)
    it(`is refused with ${what}, although a trusted key signed it, and cannot be signed`, async () => {
      const evil = await forged((statement: Statement) => {
        Object.assign(statement.predicate, {provenance: value})
      })
      const policy = await trustAlice()
      expectError(
        catchError(() => verifyDocument(evil, policy)),
        'SIGNATURE_MALFORMED',
        /provenance/,
      )
      const writing = catchError(() => writeStatement(documentOf(), {provenance: value as Provenance}))
      expectError(writing, 'SIGNATURE_MALFORMED', /provenance/)
    })
})

describe('a rule that requires provenance', () => {
  const sign = async (provenance?: Provenance) =>
    (await signDocument(documentOf(), (await testKey('alice')).signer, provenance ? {provenance} : {})).document

  it('accepts what was built from a commit and nothing else', async () => {
    const {verification} = verifyDocument(await sign(FULL), await trustAlice({requireProvenance: true}))
    expect(verification.warnings).to.deep.equal([])
  })

  const refused: [string, Provenance | undefined, RegExp][] = [
    ['says nothing', undefined, /does not say which commit/],
    ['names no commit', LEAST, /does not say which commit/],
    ['was built with changes', {...FULL, source: {commit: COMMIT, dirty: true}}, /changes on top of commit 0123/],
  ]
  for (const [what, provenance, message] of refused)
    for (const level of ['strict', 'permissive'])
      it(`refuses what ${what}, at level ${level}`, async () => {
        const [document, policy] = [await sign(provenance), await trustAlice({requireProvenance: true, level})]
        expectError(
          catchError(() => verifyDocument(document, policy)),
          'SIGNER_UNTRUSTED',
          message,
        )
      })

  it('only warns at level audit', async () => {
    const {verification} = verifyDocument(await sign(), await trustAlice({requireProvenance: true, level: 'audit'}))
    expect(verification.warnings.join()).to.contain('requires provenance')
  })
})
