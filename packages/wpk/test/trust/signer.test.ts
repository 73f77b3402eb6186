import {expect} from 'chai'
import {signDocument} from '@atomctl/wpk/signing'
import {defaultTrustPolicy, verifyDocument} from '@atomctl/wpk/trust'
import {catchError, documentOf, expectError, testKey} from '../signing/fixtures.ts'
import {policyOf, trustAlice} from './fixtures.ts'
import {expectEdited, signedByAlice} from './forgeries.ts'

describe('a signer is refused when', () => {
  it('nobody is trusted: the hint holds the policy lines that would trust the signer, and they do', async () => {
    const {document} = await signedByAlice()
    const error = expectError(
      catchError(() => verifyDocument(document, defaultTrustPolicy())),
      'SIGNER_UNTRUSTED',
    )
    const [intro = '', ...lines] = (error.hint ?? '').split('\n')
    expect(intro).to.contain('~/.atomctl/trust-policy.yaml')
    const policy = await policyOf(lines.join('\n').replaceAll('signer.pub', 'alice.pub'))
    expect(verifyDocument(document, policy).verification).to.deep.include({level: 'strict', warnings: []})
  })

  it('the policy knows its key but the rule does not name it: the hint is the line to write', async () => {
    const {document} = await signDocument(documentOf(), (await testKey('bob')).signer)
    const keys = 'keys: {alice: {file: alice.pub}, bob: {file: bob.pub}}\n'
    const rule = 'rules:\n  - name: all\n    signers: [{keys: [alice]}]\n'
    const policy = await policyOf(keys + rule)
    const error = expectError(
      catchError(() => verifyDocument(document, policy)),
      'SIGNER_UNTRUSTED',
      /key bob/,
    )
    const line = error.hint?.split('\n').at(-1) ?? ''
    const extended = await policyOf(keys + rule.replace(/ {4}signers.*/, line))
    expect(verifyDocument(document, extended).verification.signers[0]?.key).to.equal('bob')
  })

  for (const hint of ['__proto__', 'constructor', 'toString', 'alice', 'evil']) {
    it(`the bundle names its key "${hint}"`, async () => {
      await expectEdited('SIGNER_UNTRUSTED', (bundle) => void (bundle.verificationMaterial = {publicKey: {hint}}))
    })
  }

  it('its key is revoked, also at level permissive', async () => {
    const {document} = await signedByAlice()
    for (const level of ['strict', 'permissive']) {
      const policy = await trustAlice({level}, {revoked: true})
      expectError(
        catchError(() => verifyDocument(document, policy)),
        'SIGNER_REVOKED',
      )
    }
  })

  it('its key is past notAfter', async () => {
    const {document} = await signedByAlice()
    const policy = await trustAlice({}, {notAfter: '2026-06-30T00:00:00Z'})
    const at = (now: string): unknown => catchError(() => verifyDocument(document, policy, {now: new Date(now)}))
    expect(at('2026-06-29T23:59:59Z')).to.equal(undefined)
    expect(at('2026-06-30T00:00:00Z')).to.equal(undefined)
    expectError(at('2026-06-30T00:00:00.001Z'), 'SIGNER_EXPIRED', /2026-06-30/)
  })

  it('the rule wants two signatures and there is one', async () => {
    const {document} = await signedByAlice()
    const policy = await trustAlice({threshold: 2})
    expectError(
      catchError(() => verifyDocument(document, policy)),
      'SIGNER_UNTRUSTED',
      /1 of the 2 signatures/,
    )
  })

  it('its certificate is none', async () => {
    await expectEdited(
      'SIGNATURE_MALFORMED',
      (bundle) => void (bundle.verificationMaterial = {certificate: {rawBytes: 'AAAA'}}),
      /certificate/,
    )
  })

  it('the only signers of the rule are keyless ones', async () => {
    const {document} = await signedByAlice()
    const policy = await policyOf(
      JSON.stringify({
        trustRoots: {corp: {file: 'corp.json'}},
        rules: [{name: 'ci', signers: [{keyless: {trustRoot: 'corp', issuer: 'https://issuer', identity: 'me'}}]}],
      }),
    )
    expectError(
      catchError(() => verifyDocument(document, policy)),
      'SIGNER_UNTRUSTED',
    )
  })
})
