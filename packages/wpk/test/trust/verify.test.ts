import {expect} from 'chai'
import {documentFromJson, setScalar, type WpkDocument} from '@atomctl/wpk/document'
import {type Signer, signDocument} from '@atomctl/wpk/signing'
import {type TrustPolicy, verifyDocument} from '@atomctl/wpk/trust'
import {TEXT, catchError, documentOf, expectError, testKey} from '../signing/fixtures.ts'
import {trustAlice} from './fixtures.ts'
import {FILES, signedByAlice} from './forgeries.ts'

describe('verifying a document', () => {
  it('tells who signed, by which rule, and what exactly', async () => {
    const {document} = await signedByAlice({files: FILES})
    const verified = verifyDocument(document, await trustAlice(), {files: FILES})
    const {verification, digest} = verified
    expect(verification.signers).to.deep.equal([
      {key: 'alice', fingerprint: fingerprint((await testKey('alice')).signer)},
    ])
    expect(verification).to.deep.include({level: 'strict', rule: 'everything', warnings: [], files: FILES})
    expect(digest).to.match(/^sha256:[0-9a-f]{64}$/)
  })

  it('accepts what a registry returns as JSON, with its keys in another order', async () => {
    const {document} = await signedByAlice()
    const value = Object.fromEntries(Object.entries(document.value).reverse())
    const back = documentFromJson(value, 'registry').document as WpkDocument
    expect(verifyDocument(back, await trustAlice()).digest).to.equal(
      verifyDocument(document, await trustAlice()).digest,
    )
  })

  it('accepts comments, layout and quoting that changed: they are not content', async () => {
    const {text} = await signedByAlice()
    const changed = documentOf(text.replace('# Restarts', '# Does not restart').replace('author: SRE', 'author: "SRE"'))
    expect(verifyDocument(changed, await trustAlice()).verification.signers).to.have.length(1)
  })

  it('warns when the signature covers files that were not at hand', async () => {
    const {document} = await signedByAlice({files: FILES})
    expect(verifyDocument(document, await trustAlice()).verification.warnings.join()).to.match(/2 further files/)
  })
})

describe('a document is refused as unsigned when its signature', () => {
  const absent: [string, (text: string) => string][] = [
    ['is missing', () => TEXT],
    ['was stripped', (text) => text.replace(/^ {2}signature:.*\n/m, '')],
    ['is empty', (text) => setScalar(text, ['metadata', 'signature'], '')],
    ['is the word "unsigned"', (text) => setScalar(text, ['metadata', 'signature'], 'unsigned')],
    ['is the mock of the first CLI', (text) => setScalar(text, ['metadata', 'signature'], 'cosign-0123456789abcdef')],
  ]
  for (const [what, strip] of absent) {
    it(what, async () => {
      const {text} = await signedByAlice()
      const policy = await trustAlice()
      const error = expectError(
        catchError(() => verifyDocument(documentOf(strip(text)), policy)),
        'WPK_UNSIGNED',
      )
      expect(error.hint).to.equal('atomctl sign restart-unhealthy.wpk.yaml')
    })
  }
})

describe('trust levels', () => {
  const unsigned = (): WpkDocument => documentOf()
  const warnings = (document: WpkDocument, policy: TrustPolicy, options = {}): string =>
    verifyDocument(document, policy, options).verification.warnings.join('\n')

  it('permissive lets a missing signature pass, with a warning', async () => {
    expect(warnings(unsigned(), await trustAlice({level: 'permissive'}))).to.match(/WPK_UNSIGNED.*permissive/)
  })

  it('permissive lets an expired key pass, with a warning, and still names the signer', async () => {
    const {document} = await signedByAlice()
    const policy = await trustAlice({level: 'permissive'}, {notAfter: '2000-01-01T00:00:00Z'})
    expect(warnings(document, policy)).to.match(/SIGNER_EXPIRED/)
    expect(verifyDocument(document, policy).verification.signers[0]?.key).to.equal('alice')
  })

  it('permissive refuses a bad signature and an unknown signer', async () => {
    const policy = await trustAlice({level: 'permissive'})
    const {document} = await signedByAlice()
    const value = {...document.value, kind: 'Other'}
    expectError(
      catchError(() => verifyDocument({...document, value}, policy)),
      'WPK_TAMPERED',
    )
    const other = await signDocument(documentOf(), (await testKey('bob')).signer)
    expectError(
      catchError(() => verifyDocument(other.document, policy)),
      'SIGNER_UNTRUSTED',
    )
  })

  it('audit refuses nothing and reports everything, loudly', async () => {
    const policy = await trustAlice({level: 'audit'})
    const {document} = await signedByAlice()
    expect(warnings(unsigned(), policy)).to.match(/NOT ENFORCED[^]*WPK_UNSIGNED/)
    expect(warnings({...document, value: {...document.value, kind: 'Other'}}, policy)).to.match(/WPK_TAMPERED/)
    const other = await signDocument(documentOf(), (await testKey('bob')).signer)
    expect(warnings(other.document, policy)).to.match(/SIGNER_UNTRUSTED/)
    expect(verifyDocument(other.document, policy).verification.signers).to.deep.equal([])
  })

  it('skip checks nothing, and says so', async () => {
    const verified = verifyDocument(unsigned(), await trustAlice({level: 'skip'}))
    expect(verified.verification).to.deep.include({level: 'skip', signers: [], files: []})
    expect(verified.verification.warnings[0]).to.match(/^NOT VERIFIED/)
  })
})

function fingerprint(signer: Signer): string {
  return `SHA256:${signer.keyHint.slice(0, -1)}`
}
