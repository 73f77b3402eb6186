import {setScalar, type WpkDocument} from '@atomctl/wpk/document'
import {bundlesOf, type SignedDocument, signDocument} from '@atomctl/wpk/signing'
import {verifyDocument} from '@atomctl/wpk/trust'
import {catchError, documentOf, expectError, fileOf, testKey} from '../signing/fixtures.ts'
import {trustAlice} from './fixtures.ts'

export const REGISTRY = 'https://registry.example.com'
export const FILES = [fileOf('README.md', '# hi\n'), fileOf('scripts/run.sh', '#!/bin/sh\n', true)]

/** The test document signed by Alice, whom `trustAlice` trusts. */
export async function signedByAlice(options: Parameters<typeof signDocument>[2] = {}): Promise<SignedDocument> {
  return signDocument(documentOf(), (await testKey('alice')).signer, options)
}

export interface Bundle {
  mediaType: string
  verificationMaterial: Record<string, unknown>
  dsseEnvelope: {payload: string; payloadType: string; signatures: [{sig: string}]}
}

export interface Statement {
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

export async function refusal(document: WpkDocument): Promise<unknown> {
  const policy = await trustAlice()
  return catchError(() => verifyDocument(document, policy))
}

export function addFile(statement: Statement, path: string, size = 1): void {
  statement.predicate.files.push({path, size, exec: false})
  statement.subject.push({name: path, digest: {sha256: '0'.repeat(64)}})
}

export function editPayload(bundle: Bundle, change: (statement: Statement) => void): string {
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()) as Statement
  change(statement)
  return Buffer.from(JSON.stringify(statement)).toString('base64')
}

function withBundle(document: WpkDocument, bundle: object): WpkDocument {
  const signature = `sigstore-bundle:v0.3;base64,${Buffer.from(JSON.stringify(bundle)).toString('base64')}`
  return documentOf(setScalar(document.text, ['metadata', 'signature'], signature))
}

/** The signed document with its bundle edited by an outsider, who cannot sign. */
export async function expectEdited(code: string, change: (bundle: Bundle) => void, message?: RegExp): Promise<void> {
  const {document} = await signedByAlice()
  const bundle = structuredClone(bundlesOf(document.value)[0]) as Bundle
  change(bundle)
  expectError(await refusal(withBundle(document, bundle)), code, message)
}

/** A document whose statement was changed before a trusted key signed it. */
export async function forged(change: (statement: Statement) => void): Promise<WpkDocument> {
  const {document} = await signedByAlice()
  const bundle = structuredClone(bundlesOf(document.value)[0]) as Bundle
  const payload = Buffer.from(editPayload(bundle, change), 'base64')
  const {signer} = await testKey('alice')
  const type = bundle.dsseEnvelope.payloadType
  const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
  bundle.dsseEnvelope.payload = payload.toString('base64')
  bundle.dsseEnvelope.signatures[0].sig = Buffer.from(await signer.sign(encoded)).toString('base64')
  return withBundle(document, bundle)
}
