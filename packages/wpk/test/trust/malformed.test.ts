import {setScalar} from '@atomctl/wpk/document'
import {documentOf, expectError} from '../signing/fixtures.ts'
import {
  type Bundle,
  REGISTRY,
  type Statement,
  addFile,
  expectEdited,
  forged,
  refusal,
  signedByAlice,
} from './forgeries.ts'

describe('a signature is refused as malformed when', () => {
  const statements: [string, (statement: Statement) => void][] = [
    [
      'the predicate is of another type',
      (statement) => void (statement.predicateType = 'https://slsa.dev/provenance/v1'),
    ],
    [
      'the statement is of another version',
      (statement) => void (statement._type = 'https://in-toto.io/Statement/v0.1'),
    ],
    ['the first subject is not the document', (statement) => void (statement.subject[0].name = 'README.md')],
    ['there is no subject', (statement) => void statement.subject.splice(0)],
    ['the subject has a second digest', (statement) => void (statement.subject[0].digest['sha512'] = 'x')],
    ['the digest is in capitals', (statement) => void (statement.subject[0].digest['sha256'] = 'A'.repeat(64))],
    ['the canonical form is another one', (statement) => void (statement.predicate.canonicalization = 'none')],
    ['more than the signature is excluded', (statement) => void statement.predicate.excludes.push('/spec')],
    ['something else than the signature is excluded', (statement) => void (statement.predicate.excludes = ['/spec'])],
    ['a subject has no file', (statement) => void statement.subject.push(structuredClone(statement.subject[0]))],
    ['a file has no subject', (statement) => void statement.predicate.files.push({path: 'a', size: 1, exec: false})],
    ['a file climbs out of the package', (statement) => addFile(statement, '../x')],
    ['a file stands for the document', (statement) => addFile(statement, 'wpk.yaml')],
    ['a file has a negative size', (statement) => addFile(statement, 'a', -1)],
    [
      'a subject is named unlike its file',
      (statement) => {
        addFile(statement, 'a')
        Object.assign(statement.subject[1] ?? {}, {name: 'b'})
      },
    ],
    ['the files are not sorted', (statement) => (addFile(statement, 'b'), addFile(statement, 'a'))],
    ['a file comes twice', (statement) => (addFile(statement, 'a'), addFile(statement, 'a'))],
    ['the predicate has an unknown field', (statement) => void Object.assign(statement.predicate, {extra: 1})],
    ['the statement has an unknown field', (statement) => void Object.assign(statement, {extra: 1})],
    ['the name is missing', (statement) => void delete (statement.predicate as {name?: string}).name],
    ['the name is a number', (statement) => void Object.assign(statement.predicate, {name: 7})],
    ['the registry is a list', (statement) => void Object.assign(statement.predicate, {registry: [REGISTRY]})],
  ]
  for (const [what, change] of statements) {
    it(`${what}, although a trusted key signed it so`, async () => {
      expectError(await refusal(await forged(change)), 'SIGNATURE_MALFORMED')
    })
  }

  const bundles: [string, (bundle: Bundle) => void][] = [
    [
      'the media type is unknown',
      (bundle) => void (bundle.mediaType = 'application/vnd.dev.sigstore.bundle.v0.4+json'),
    ],
    ['the bundle has an unknown field', (bundle) => void Object.assign(bundle, {extra: 1})],
    ['the envelope has an unknown field', (bundle) => void Object.assign(bundle.dsseEnvelope, {extra: 1})],
    ['the signature carries a keyid', (bundle) => void Object.assign(bundle.dsseEnvelope.signatures[0], {keyid: 'x'})],
    [
      'the signature carries an empty keyid',
      (bundle) => void Object.assign(bundle.dsseEnvelope.signatures[0], {keyid: ''}),
    ],
    ['the signature is a number', (bundle) => void Object.assign(bundle.dsseEnvelope.signatures[0], {sig: 7})],
    ['the signature is empty', (bundle) => void (bundle.dsseEnvelope.signatures[0].sig = '')],
    ['there are two signatures', (bundle) => void (bundle.dsseEnvelope.signatures as object[]).push({sig: 'AAAA'})],
    ['there is no signature', (bundle) => void (bundle.dsseEnvelope.signatures as object[]).splice(0)],
    ['the payload type is another one', (bundle) => void (bundle.dsseEnvelope.payloadType = 'application/json')],
    ['the payload is no base64', (bundle) => void (bundle.dsseEnvelope.payload += '!')],
    ['the payload is URL-safe base64', (bundle) => void (bundle.dsseEnvelope.payload = '_-_-')],
    ['the payload is no JSON', (bundle) => void (bundle.dsseEnvelope.payload = 'AAAA')],
    ['the key has no hint', (bundle) => void (bundle.verificationMaterial = {publicKey: {}})],
    ['the hint is a number', (bundle) => void (bundle.verificationMaterial = {publicKey: {hint: 7}})],
    ['the hint is very long', (bundle) => void (bundle.verificationMaterial = {publicKey: {hint: 'A'.repeat(1000)}})],
    ['there is no verification material', (bundle) => void delete (bundle as Partial<Bundle>).verificationMaterial],
    ['the verification material is empty', (bundle) => void (bundle.verificationMaterial = {})],
    ['the list of log entries is empty', (bundle) => void (bundle.verificationMaterial['tlogEntries'] = [])],
    ['it names a key and a certificate', (bundle) => void (bundle.verificationMaterial['certificate'] = {})],
    ['it has an envelope and a message', (bundle) => void Object.assign(bundle, {messageSignature: MESSAGE})],
    [
      'it has a message in place of the envelope',
      (bundle) => {
        delete (bundle as Partial<Bundle>).dsseEnvelope
        Object.assign(bundle, {messageSignature: MESSAGE})
      },
    ],
    ['it is empty', (bundle) => Object.keys(bundle).forEach((key) => delete (bundle as never)[key])],
    [
      'it has a field named __proto__',
      (bundle) => void Object.defineProperty(bundle, '__proto__', {value: {}, enumerable: true}),
    ],
  ]
  for (const [what, change] of bundles) {
    it(what, async () => expectEdited('SIGNATURE_MALFORMED', change))
  }

  const retyped: [string, unknown][] = [
    ['a number', 7],
    ['a list with the signature in it', 'list'],
    ['a mapping', {}],
    ['true', true],
  ]
  for (const [what, signature] of retyped) {
    it(`metadata.signature is ${what}`, async () => {
      const {document} = await signedByAlice()
      const value = structuredClone(document.value) as {metadata: {signature: unknown}}
      value.metadata.signature = signature === 'list' ? [value.metadata.signature] : signature
      expectError(await refusal({...document, value: value as never}), 'SIGNATURE_MALFORMED')
    })
  }

  it('garbage follows the base64', async () => {
    const {document} = await signedByAlice()
    const {signature} = document.value['metadata'] as {signature: string}
    const changed = documentOf(setScalar(document.text, ['metadata', 'signature'], `${signature}AAAA`))
    expectError(await refusal(changed), 'SIGNATURE_MALFORMED')
  })
})

const MESSAGE = {messageDigest: {algorithm: 'SHA2_256', digest: 'AAAA'}, signature: 'AAAA'}
