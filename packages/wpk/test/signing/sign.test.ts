import {createHash, verify} from 'node:crypto'
import {Readable} from 'node:stream'
import {bundleFromJSON} from '@sigstore/bundle'
import {toSignedEntity, toTrustMaterial, Verifier} from '@sigstore/verify'
import {TrustedRoot} from '@sigstore/protobuf-specs'
import {expect} from 'chai'
import {canonicalize} from '@atomctl/wpk/canonical'
import {documentFromJson} from '@atomctl/wpk/document'
import {bundlesOf, payloadOf, parsePublicKey, signDocument, signFile, type Signer} from '@atomctl/wpk/signing'
import {TEXT, catchError, documentOf, expectError, fileOf, rejection, testKey} from './fixtures.ts'

describe('signing a document', () => {
  it('adds one line and leaves every other byte, comments included', async () => {
    const {signer} = await testKey('alice')
    const {text} = await signDocument(documentOf(), signer)
    const lines = text.split('\n')
    const added = lines.filter((line) => !TEXT.split('\n').includes(line))
    expect(added).to.have.length(1)
    expect(added[0]).to.match(/^ {2}signature: "sigstore-bundle:v0\.3;base64,[\w+/=]+"$/)
    expect(lines.filter((line) => line !== added[0]).join('\n')).to.equal(TEXT)
  })

  it('replaces an earlier signature and covers the same bytes as before', async () => {
    const alice = await testKey('alice')
    const bob = await testKey('bob')
    const first = await signDocument(documentOf(), alice.signer)
    const second = await signDocument(first.document, bob.signer)
    expect(second.text.match(/signature:/g)).to.have.length(1)
    expect(second.text.split('\n')).to.have.length(first.text.split('\n').length)
    expect(payloadOf(second.document.value)).to.deep.equal(payloadOf(documentOf().value))
    expect(bundlesOf(second.document.value)).to.deep.equal([second.bundle])
  })

  it('makes exactly the statement that the format fixes', async () => {
    const {signer} = await testKey('alice')
    const files = [fileOf('scripts/run.sh', '#!/bin/sh\n', true), fileOf('README.md', '# hi\n')]
    const {bundle} = await signDocument(documentOf(), signer, {files, registry: 'https://Registry.example.com/'})
    const sha256 = createHash('sha256').update(canonicalize(documentOf().value)).digest('hex')
    expect(statementIn(bundle)).to.deep.equal({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        {name: 'wpk.jcs.json', digest: {sha256}},
        {name: 'README.md', digest: {sha256: files[1]?.sha256}},
        {name: 'scripts/run.sh', digest: {sha256: files[0]?.sha256}},
      ],
      predicateType: 'https://atomctl.dev/attestations/wpk/v1',
      predicate: {
        name: 'restart-unhealthy',
        version: '1.2.3',
        canonicalization: 'RFC8785',
        excludes: ['/metadata/signature'],
        files: [
          {path: 'README.md', size: 5, exec: false},
          {path: 'scripts/run.sh', size: 10, exec: true},
        ],
        registry: 'https://registry.example.com',
      },
    })
  })

  it('makes a v0.3 bundle without the fields that cosign refuses', async () => {
    const {signer} = await testKey('alice')
    const {bundle} = (await signDocument(documentOf(), signer)) as {bundle: Record<string, never>}
    expect(bundle['mediaType']).to.equal('application/vnd.dev.sigstore.bundle.v0.3+json')
    expect(bundle['verificationMaterial']).to.deep.equal({publicKey: {hint: signer.keyHint}})
    expect(bundle['dsseEnvelope']).to.have.all.keys('payload', 'payloadType', 'signatures')
    expect(bundle['dsseEnvelope']?.['signatures'][0]).to.have.all.keys('sig')
  })

  it('makes a bundle that the verifier of sigstore-js accepts too', async () => {
    const {signer, publicKeyPem} = await testKey('alice')
    const {bundle} = await signDocument(documentOf(), signer)
    const root = TrustedRoot.fromJSON({mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'})
    const material = toTrustMaterial(root, () => ({publicKey: parsePublicKey(publicKeyPem), validFor: () => true}))
    const options = {tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0}
    new Verifier(material, options).verify(toSignedEntity(bundleFromJSON(bundle)))
  })

  it('survives the way through JSON with the keys in another order', async () => {
    const {signer} = await testKey('alice')
    const {document} = await signDocument(documentOf(), signer)
    const shuffled = Object.fromEntries(Object.entries(document.value).reverse())
    const {document: back} = documentFromJson(shuffled, 'registry')
    expect(payloadOf(back?.value ?? {})).to.deep.equal(payloadOf(document.value))
  })

  const refused: [string, Parameters<typeof fileOf>[]][] = [
    ['outside the package', [['../x', 'x']]],
    ['in the place of the document', [['wpk.yaml', 'x']]],
    [
      'twice',
      [
        ['a', 'x'],
        ['a', 'y'],
      ],
    ],
    [
      'that differ only in case',
      [
        ['a', 'x'],
        ['A', 'y'],
      ],
    ],
  ]
  for (const [what, files] of refused) {
    it(`refuses files ${what}`, async () => {
      const {signer} = await testKey('alice')
      const work = signDocument(documentOf(), signer, {files: files.map((file) => fileOf(...file))})
      expectError(await rejection(work), 'ARCHIVE_INVALID')
    })
  }
})

describe('signing very many files', () => {
  it('is refused with the reason when the document would become too large', async () => {
    const files = Array.from({length: 4000}, (_, index) => fileOf(`data/${index}.txt`, 'x'))
    // before a signer is asked for: a log records what a keyless one signs for good
    const signer = (): Promise<Signer> => Promise.reject(new Error('a signer was asked for'))
    expectError(await rejection(signDocument(documentOf(), signer, {files})), 'ARCHIVE_TOO_LARGE', /4000 files/)
  })
})

describe('signing any bytes', () => {
  it('signs a stream as its concatenation, in a v0.3 message bundle', async () => {
    const {signer, publicKeyPem} = await testKey('alice')
    const chunks = ['hello ', 'world', '\n'].map((text) => Buffer.from(text))
    const bundle = (await signFile(() => Readable.from(chunks), signer)) as MessageBundle
    const content = Buffer.concat(chunks)
    expect(bundle.messageSignature.messageDigest).to.deep.equal({
      algorithm: 'SHA2_256',
      digest: createHash('sha256').update(content).digest('base64'),
    })
    const signature = Buffer.from(bundle.messageSignature.signature, 'base64')
    expect(verify('sha256', content, publicKeyPem, signature)).to.equal(true)
  })

  it('fails when the file cannot be read', async () => {
    const {signer} = await testKey('alice')
    const broken = (): Readable =>
      new Readable({
        read() {
          this.destroy(new Error('disk on fire'))
        },
      })
    expect(((await rejection(signFile(broken, signer))) as Error).message).to.equal('disk on fire')
  })
})

describe('finding the bundle in a document', () => {
  const unsigned: [string, unknown][] = [
    ['no signature', undefined],
    ['an empty one', ''],
    ['null', null],
    ['the placeholder of the first CLI', 'cosign-0123456789abcdef'],
  ]
  for (const [what, signature] of unsigned) {
    it(`finds none where there is ${what}`, () => {
      const value = {metadata: signature === undefined ? {} : {signature: signature as string}}
      expect(bundlesOf(value)).to.deep.equal([])
    })
  }

  const malformed: [string, unknown][] = [
    ['a number', 7],
    ['a list', ['sigstore-bundle:v0.3;base64,e30=']],
    ['a mapping', {bundle: 'x'}],
    ['another version', 'sigstore-bundle:v0.4;base64,e30='],
    ['another encoding', 'sigstore-bundle:v0.3;hex,00'],
    ['garbage after the base64', 'sigstore-bundle:v0.3;base64,e30=!!'],
    ['base64 without its padding', 'sigstore-bundle:v0.3;base64,e30'],
    ['base64 with a newline', 'sigstore-bundle:v0.3;base64,e3\n0='],
    ['text that is no JSON', `sigstore-bundle:v0.3;base64,${base64('hello')}`],
    ['JSON that is no object', `sigstore-bundle:v0.3;base64,${base64('null')}`],
    ['a key twice', `sigstore-bundle:v0.3;base64,${base64('{"a":1,"a":2}')}`],
    ['a key twice in two spellings', `sigstore-bundle:v0.3;base64,${base64('{"b":[{"a":1,"\\u0061":2}]}')}`],
    ['bytes that are no UTF-8', `sigstore-bundle:v0.3;base64,${Buffer.from([0x22, 0xff, 0x22]).toString('base64')}`],
    ['megabytes', `sigstore-bundle:v0.3;base64,${base64('['.repeat(3 << 20))}`],
    ['deep nesting', `sigstore-bundle:v0.3;base64,${base64('['.repeat(200_000))}`],
  ]
  for (const [what, signature] of malformed) {
    it(`refuses ${what} where the signature should be`, () => {
      const value = {metadata: {signature: signature as string}}
      expectError(
        catchError(() => bundlesOf(value)),
        'SIGNATURE_MALFORMED',
      )
    })
  }
})

interface MessageBundle {
  messageSignature: {messageDigest: object; signature: string}
}

function statementIn(bundle: object): unknown {
  const {dsseEnvelope} = bundle as {dsseEnvelope: {payload: string}}
  return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString())
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
