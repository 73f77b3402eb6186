import {Readable} from 'node:stream'
import {expect} from 'chai'
import {signDocument, signFile} from '@atomctl/wpk/signing'
import {verifyArtifact} from '@atomctl/wpk/trust'
import {canonicalize} from '@atomctl/wpk/canonical'
import {documentOf, expectError, rejection, testKey} from '../signing/fixtures.ts'
import {policyOf, trustAlice} from './fixtures.ts'

const CONTENT = Buffer.from('the bytes of a tarball')

const sourceOf =
  (bytes: Uint8Array = CONTENT) =>
  (): Readable =>
    Readable.from([...bytes].map((byte) => Buffer.from([byte])))

async function signedBundle(): Promise<MessageBundle> {
  return (await signFile(sourceOf(), (await testKey('alice')).signer)) as MessageBundle
}

describe('verifying a detached signature', () => {
  it('by the key alone tells the fingerprint', async () => {
    const alice = await testKey('alice')
    const {signers, warnings} = await verifyArtifact(await signedBundle(), sourceOf(), alice)
    expect(signers).to.deep.equal([{fingerprint: `SHA256:${alice.signer.keyHint.slice(0, -1)}`}])
    expect(warnings).to.deep.equal([])
  })

  it('takes the bundle as bytes too, and then sees keys that occur twice', async () => {
    const alice = await testKey('alice')
    const text = JSON.stringify(await signedBundle())
    expect((await verifyArtifact(Buffer.from(text), sourceOf(), alice)).signers).to.have.length(1)
    const twice = Buffer.from(text.replace('{', '{"mediaType":"x",'))
    expectError(await rejection(verifyArtifact(twice, sourceOf(), alice)), 'SIGNATURE_MALFORMED')
  })

  it('by a policy follows its rules, its expiry and its levels', async () => {
    const bundle = await signedBundle()
    const verify = async (policy: Awaited<ReturnType<typeof trustAlice>>): Promise<unknown> =>
      verifyArtifact(bundle, sourceOf(), {policy, name: 'restart-unhealthy'})
    expect(await verify(await trustAlice())).to.have.nested.property('signers[0].key', 'alice')
    expectError(await rejection(verify(await trustAlice({}, {revoked: true}))), 'SIGNER_REVOKED')
    expectError(await rejection(verify(await trustAlice({}, {notAfter: '2000-01-01T00:00:00Z'}))), 'SIGNER_EXPIRED')
    expectError(await rejection(verify(await trustAlice({scope: {packages: ['other']}}))), 'SIGNER_UNTRUSTED')
    expectError(await rejection(verify(await policyOf('rules: []\n'))), 'SIGNER_UNTRUSTED')
    expect(await verify(await trustAlice({level: 'skip'})))
      .to.have.property('warnings')
      .with.length(1)
  })

  it('refuses other bytes, by key and by policy', async () => {
    const bundle = await signedBundle()
    const other = sourceOf(Buffer.from('other bytes'))
    expectError(await rejection(verifyArtifact(bundle, other, await testKey('alice'))), 'WPK_TAMPERED')
    const byPolicy = {policy: await trustAlice(), name: 'restart-unhealthy'}
    expectError(await rejection(verifyArtifact(bundle, other, byPolicy)), 'WPK_TAMPERED')
  })

  it('refuses another key', async () => {
    const work = verifyArtifact(await signedBundle(), sourceOf(), await testKey('bob'))
    expectError(await rejection(work), 'SIGNER_UNTRUSTED')
  })

  it('refuses another key whose hint was put into the bundle', async () => {
    const bob = await testKey('bob')
    const bundle = await signedBundle()
    bundle.verificationMaterial.publicKey.hint = bob.signer.keyHint
    expectError(await rejection(verifyArtifact(bundle, sourceOf(), bob)), 'WPK_TAMPERED')
  })

  it('refuses a digest that is wrong beside a signature that is right', async () => {
    const bundle = await signedBundle()
    Object.assign(bundle.messageSignature.messageDigest, {digest: Buffer.alloc(32).toString('base64')})
    expectError(await rejection(verifyArtifact(bundle, sourceOf(), await testKey('alice'))), 'WPK_TAMPERED')
  })

  it('refuses a digest that is right for the bytes beside a signature that is not', async () => {
    const bundle = await signedBundle()
    const other = Buffer.from('other bytes')
    const {messageSignature} = (await signFile(sourceOf(other), (await testKey('bob')).signer)) as MessageBundle
    bundle.messageSignature.messageDigest = messageSignature.messageDigest
    expectError(await rejection(verifyArtifact(bundle, sourceOf(other), await testKey('alice'))), 'WPK_TAMPERED')
  })

  for (const bundle of [null, undefined, 7, 'text', [], {}, new Date(), {__proto__: null}, new Uint8Array([0xff])]) {
    it(`refuses ${JSON.stringify(bundle)} as a bundle`, async () => {
      const work = verifyArtifact(bundle, sourceOf(), await testKey('alice'))
      expectError(await rejection(work), 'SIGNATURE_MALFORMED')
    })
  }

  it('accepts an attestation about the bytes, and refuses it for others', async () => {
    const alice = await testKey('alice')
    const {bundle, document} = await signDocument(documentOf(), alice.signer)
    const payload = canonicalize(document.value)
    expect((await verifyArtifact(bundle, sourceOf(payload), alice)).signers).to.have.length(1)
    expectError(await rejection(verifyArtifact(bundle, sourceOf(), alice)), 'WPK_TAMPERED')
  })

  it('refuses an attestation of another payload type, and a payload that is no statement', async () => {
    const {signer} = await testKey('alice')
    for (const [payloadType, payload] of [
      ['application/json', '{"_type":"https://in-toto.io/Statement/v1","subject":[]}'],
      ['application/vnd.in-toto+json', '{"_type":"https://in-toto.io/Statement/v2","subject":[]}'],
      ['application/vnd.in-toto+json', '{"subject":[{}]}'],
      ['application/vnd.in-toto+json', 'null'],
    ] as const) {
      const encoded = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} ${payload}`
      const sig = Buffer.from(await signer.sign(Buffer.from(encoded))).toString('base64')
      const bundle = {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: {publicKey: {hint: signer.keyHint}},
        dsseEnvelope: {payload: Buffer.from(payload).toString('base64'), payloadType, signatures: [{sig}]},
      }
      expectError(await rejection(verifyArtifact(bundle, sourceOf(), await testKey('alice'))), 'SIGNATURE_MALFORMED')
    }
  })

  it('does not open the file when the bundle cannot hold whatever is in it', async () => {
    const bundle = await signedBundle()
    Object.assign(bundle.messageSignature.messageDigest, {algorithm: 'SHA2_512'})
    const never = (): Readable => {
      throw new Error('was opened')
    }
    expectError(await rejection(verifyArtifact(bundle, never, await testKey('alice'))), 'WPK_TAMPERED')
  })

  it('warns that log entries in the bundle were not checked', async () => {
    const bundle = await signedBundle()
    Object.assign(bundle.verificationMaterial, {tlogEntries: [ENTRY]})
    const {warnings} = await verifyArtifact(bundle, sourceOf(), await testKey('alice'))
    expect(warnings.join()).to.match(/log entries.*not checked/)
  })

  it('passes on the error of a file that cannot be read', async () => {
    const broken = (): Readable =>
      new Readable({
        read() {
          this.destroy(new Error('disk on fire'))
        },
      })
    const error = await rejection(verifyArtifact(await signedBundle(), broken, await testKey('alice')))
    expect((error as Error).message).to.equal('disk on fire')
  })
})

/** Well formed, and about nothing. */
const ENTRY = {
  logIndex: '1',
  logId: {keyId: 'AAAA'},
  kindVersion: {kind: 'hashedrekord', version: '0.0.1'},
  canonicalizedBody: 'AAAA',
}

interface MessageBundle {
  verificationMaterial: {publicKey: {hint: string}}
  messageSignature: {messageDigest: object; signature: string}
}
