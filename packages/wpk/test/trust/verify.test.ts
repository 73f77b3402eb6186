import {expect} from 'chai'
import {documentFromJson, setScalar, type WpkDocument} from '@atomctl/wpk/document'
import {bundleOf, type SignedDocument, signDocument, type Signer} from '@atomctl/wpk/signing'
import {defaultTrustPolicy, type TrustPolicy, verifyDocument} from '@atomctl/wpk/trust'
import {TEXT, catchError, documentOf, expectError, fileOf, testKey} from '../signing/fixtures.ts'
import {policyOf, trustAlice} from './fixtures.ts'

const REGISTRY = 'https://registry.example.com'
const FILES = [fileOf('README.md', '# hi\n'), fileOf('scripts/run.sh', '#!/bin/sh\n', true)]

async function signedByAlice(options: Parameters<typeof signDocument>[2] = {}): Promise<SignedDocument> {
  return signDocument(documentOf(), (await testKey('alice')).signer, options)
}

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

describe('a document is refused as tampered when', () => {
  const changes: [string, string | RegExp, string][] = [
    ['a command is changed', 'echo restarting', 'rm -rf /'],
    ['a value is changed', 'author: SRE', 'author: SRE2'],
    ['a handler is renamed', 'name: restart\n', 'name: restart-2\n'],
    ['the package is renamed', 'name: restart-unhealthy', 'name: restart-healthy'],
    ['it is given another version', '"1.2.3"', '"1.2.4"'],
    ['a field is added', 'author: SRE\n', 'author: SRE\n  tags: [x]\n'],
    ['a field is removed', /^ {2}created:.*\n/m, ''],
    ['a string becomes another one that looks the same', 'café', 'cafe\u0301'],
  ]
  for (const [what, from, to] of changes) {
    it(what, async () => {
      const {text} = await signedByAlice()
      const changed = JSON.parse(JSON.stringify(documentFromText(text.replace(from, to)))) as WpkDocument['value']
      const document = {...(await signedByAlice()).document, ...described(changed)}
      expectError(await refusal(document), 'WPK_TAMPERED', /changed after it was signed/)
    })
  }

  it('a string becomes a number', async () => {
    const {document} = await signedByAlice()
    const value = structuredClone(document.value) as {metadata: {description: unknown}}
    value.metadata.description = 7
    expectError(await refusal({...document, value: value as never}), 'WPK_TAMPERED')
  })

  it('the answer is for another name or version than was asked for, even at level skip', async () => {
    const {document} = await signedByAlice()
    for (const level of ['strict', 'audit', 'skip']) {
      const policy = await trustAlice({level})
      for (const expect of [{name: 'other'}, {version: '2.0.0'}]) {
        expectError(
          catchError(() => verifyDocument(document, policy, {expect})),
          'WPK_TAMPERED',
          /asked for/,
        )
      }
    }
  })

  const fileSets: [string, typeof FILES][] = [
    ['a file is missing', FILES.slice(1)],
    ['all files are missing', []],
    ['a file is added', [...FILES, fileOf('evil.sh', 'x')]],
    ['a file is changed', [fileOf('README.md', '# ha\n'), ...FILES.slice(1)]],
    ['a file is renamed', [fileOf('README.txt', '# hi\n'), ...FILES.slice(1)]],
    ['a file becomes executable', [fileOf('README.md', '# hi\n', true), ...FILES.slice(1)]],
    ['a file is no longer executable', [...FILES.slice(0, 1), fileOf('scripts/run.sh', '#!/bin/sh\n')]],
    ['a file comes twice', [...FILES, ...FILES.slice(0, 1)]],
    ['two files change places', [fileOf('README.md', '#!/bin/sh\n'), fileOf('scripts/run.sh', '# hi\n', true)]],
  ]
  for (const [what, files] of fileSets) {
    it(`in the archive ${what}`, async () => {
      const {document} = await signedByAlice({files: FILES})
      const policy = await trustAlice()
      expectError(
        catchError(() => verifyDocument(document, policy, {files})),
        'WPK_TAMPERED',
      )
    })
  }

  it('the signature is for another registry', async () => {
    const {document} = await signedByAlice({registry: REGISTRY})
    const policy = await trustAlice()
    expect(verifyDocument(document, policy, {registry: `${REGISTRY}/`}).verification.signers).to.have.length(1)
    const work = (): unknown => verifyDocument(document, policy, {registry: 'https://evil.example'})
    expectError(catchError(work), 'WPK_TAMPERED', /registry/)
  })

  it('the rule wants the registry in the signature and it has none', async () => {
    const {document} = await signedByAlice()
    const policy = await trustAlice({bindRegistry: true})
    expectError(
      catchError(() => verifyDocument(document, policy, {registry: REGISTRY})),
      'WPK_TAMPERED',
      /names no registry/,
    )
  })

  for (const field of ['name', 'version'] as const) {
    it(`its statement has another ${field}, although a trusted key signed it so`, async () => {
      const document = await forged((statement) => void (statement.predicate[field] = '9.9.9'))
      expectError(await refusal(document), 'WPK_TAMPERED', /the signature is for/)
    })
  }

  it('one bit of the signature is changed', async () => {
    await expectEdited('WPK_TAMPERED', (bundle) => {
      const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64')
      signature[20] = (signature[20] ?? 0) ^ 1
      bundle.dsseEnvelope.signatures[0].sig = signature.toString('base64')
    })
  })

  it('the signature is no DER at all', async () => {
    await expectEdited('WPK_TAMPERED', (bundle) => void (bundle.dsseEnvelope.signatures[0].sig = 'AAAA'))
  })

  it('the payload is changed but not signed again', async () => {
    await expectEdited('WPK_TAMPERED', (bundle) => {
      bundle.dsseEnvelope.payload = editPayload(bundle, (statement) => void (statement.predicate.registry = REGISTRY))
    })
  })

  it('it was signed by another key than the one it names', async () => {
    const {signer: bob} = await testKey('bob')
    const {signer: alice} = await testKey('alice')
    const {document} = await signDocument(documentOf(), {
      ...alice,
      keyHint: alice.keyHint,
      sign: (data) => bob.sign(data),
    })
    expectError(await refusal(document), 'WPK_TAMPERED', /not made with the key alice/)
  })

  it('the signature of another package is put into it', async () => {
    const {signer} = await testKey('alice')
    const other = await signDocument(documentOf(TEXT.replace('restart-unhealthy', 'other')), signer)
    const signature = (other.document.value['metadata'] as {signature: string}).signature
    expectError(await refusal(documentOf(setScalar(TEXT, ['metadata', 'signature'], signature))), 'WPK_TAMPERED')
  })
})

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

  it('the rule wants two signatures: one document carries one', async () => {
    const {document} = await signedByAlice()
    const policy = await trustAlice({threshold: 2})
    expectError(
      catchError(() => verifyDocument(document, policy)),
      'SIGNER_UNTRUSTED',
      /1 of 2 signatures/,
    )
  })

  it('it signed without a key: keyless verification is not available yet', async () => {
    await expectEdited(
      'SIGNER_UNTRUSTED',
      (bundle) => void (bundle.verificationMaterial = {certificate: {rawBytes: 'AAAA'}}),
      /keyless verification is not available yet/,
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

const MESSAGE = {messageDigest: {algorithm: 'SHA2_256', digest: 'AAAA'}, signature: 'AAAA'}

interface Bundle {
  mediaType: string
  verificationMaterial: Record<string, unknown>
  dsseEnvelope: {payload: string; payloadType: string; signatures: [{sig: string}]}
}

interface Statement {
  _type: string
  subject: [{name: string; digest: Record<string, string>}, ...{name: string; digest: Record<string, string>}[]]
  predicateType: string
  predicate: {
    name: string
    version: string
    canonicalization: string
    excludes: string[]
    files: {path: string; size: number; exec: boolean}[]
    registry?: string
  }
}

function fingerprint(signer: Signer): string {
  return `SHA256:${signer.keyHint.slice(0, -1)}`
}

function documentFromText(text: string): WpkDocument['value'] {
  return documentOf(text).value
}

/** Name and version as they stand in a value that was changed. */
function described(value: WpkDocument['value']): Pick<WpkDocument, 'value' | 'name' | 'version'> {
  const {name, version} = value['metadata'] as {name: string; version: string}
  return {value, name, version}
}

async function refusal(document: WpkDocument): Promise<unknown> {
  const policy = await trustAlice()
  return catchError(() => verifyDocument(document, policy))
}

function addFile(statement: Statement, path: string, size = 1): void {
  statement.predicate.files.push({path, size, exec: false})
  statement.subject.push({name: path, digest: {sha256: '0'.repeat(64)}})
}

function editPayload(bundle: Bundle, change: (statement: Statement) => void): string {
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()) as Statement
  change(statement)
  return Buffer.from(JSON.stringify(statement)).toString('base64')
}

function withBundle(document: WpkDocument, bundle: object): WpkDocument {
  const signature = `sigstore-bundle:v0.3;base64,${Buffer.from(JSON.stringify(bundle)).toString('base64')}`
  return documentOf(setScalar(document.text, ['metadata', 'signature'], signature))
}

/** The signed document with its bundle edited by an outsider, who cannot sign. */
async function expectEdited(code: string, change: (bundle: Bundle) => void, message?: RegExp): Promise<void> {
  const {document} = await signedByAlice()
  const bundle = structuredClone(bundleOf(document.value)?.bundle) as Bundle
  change(bundle)
  expectError(await refusal(withBundle(document, bundle)), code, message)
}

/** A document whose statement was changed before a trusted key signed it. */
async function forged(change: (statement: Statement) => void): Promise<WpkDocument> {
  const {document} = await signedByAlice()
  const bundle = structuredClone(bundleOf(document.value)?.bundle) as Bundle
  const payload = Buffer.from(editPayload(bundle, change), 'base64')
  const {signer} = await testKey('alice')
  const type = bundle.dsseEnvelope.payloadType
  const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
  bundle.dsseEnvelope.payload = payload.toString('base64')
  bundle.dsseEnvelope.signatures[0].sig = Buffer.from(await signer.sign(encoded)).toString('base64')
  return withBundle(document, bundle)
}
