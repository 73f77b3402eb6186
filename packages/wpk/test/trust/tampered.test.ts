import {expect} from 'chai'
import {setScalar, type WpkDocument} from '@atomctl/wpk/document'
import {signDocument} from '@atomctl/wpk/signing'
import {verifyDocument} from '@atomctl/wpk/trust'
import {TEXT, catchError, documentOf, expectError, fileOf, testKey} from '../signing/fixtures.ts'
import {trustAlice} from './fixtures.ts'
import {FILES, REGISTRY, editPayload, expectEdited, forged, refusal, signedByAlice} from './forgeries.ts'

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

function documentFromText(text: string): WpkDocument['value'] {
  return documentOf(text).value
}

/** Name and version as they stand in a value that was changed. */
function described(value: WpkDocument['value']): Pick<WpkDocument, 'value' | 'name' | 'version'> {
  const {name, version} = value['metadata'] as {name: string; version: string}
  return {value, name, version}
}
