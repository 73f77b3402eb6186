import {expect} from 'chai'
import fc from 'fast-check'
import type {Json} from '@atomctl/wpk/canonical'
import {signDocument} from '@atomctl/wpk/signing'
import {isVerified, type VerifiedDocument, verifyDocument} from '@atomctl/wpk/trust'
import {catchError, documentOf, expectError, testKey} from '../signing/fixtures.ts'
import {trustAlice} from './fixtures.ts'

async function verified(): Promise<VerifiedDocument> {
  const {document} = await signDocument(documentOf(), (await testKey('alice')).signer)
  return verifyDocument(document, await trustAlice())
}

describe('a verified document', () => {
  it('is told apart from everything that only looks like one', async () => {
    const real = await verified()
    const {document, digest, verification} = real
    expect(isVerified(real)).to.equal(true)
    const forgeries = [
      {document, digest, verification},
      Object.assign({}, real),
      Object.create(real) as unknown,
      Object.assign(Object.create(Object.getPrototypeOf(real) as object), {document}) as unknown,
      structuredClone({digest, verification}),
      new Proxy(real, {}),
      null,
      undefined,
      'verified',
    ]
    for (const forgery of forgeries) expect(isVerified(forgery)).to.equal(false)
  })

  it('cannot be constructed by its class, which anyone can reach', async () => {
    const real = await verified()
    const construct = real.constructor as new (...args: unknown[]) => unknown
    for (const key of [undefined, Symbol('construction by verifyDocument'), real]) {
      expect(() => new construct(key, real.document, real.digest, real.verification)).to.throw(TypeError)
      expect(() => Reflect.construct(Object, [key], construct)).to.not.throw()
      expect(isVerified(Reflect.construct(Object, [key], construct))).to.equal(false)
    }
  })

  it('cannot be changed after it was verified', async () => {
    const real = await verified()
    const value = real.document.value as {spec: {handlers: {config: {command: string}}[]}}
    expect(() => {
      const [handler] = value.spec.handlers
      if (handler) handler.config.command = 'rm -rf /'
    }).to.throw(TypeError)
    expect(() => Object.assign(real, {document: {}})).to.throw(TypeError)
    expect(() => (real.verification.signers as unknown[]).push({fingerprint: 'x'})).to.throw(TypeError)
  })

  it('is not given for any change of any value in the document', async () => {
    const {document} = await signDocument(documentOf(), (await testKey('alice')).signer)
    const policy = await trustAlice()
    const paths = leavesOf(document.value).filter((path) => path.join('.') !== 'metadata.signature')
    const other = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({}))
    fc.assert(
      fc.property(fc.constantFrom(...paths), other, (path, replacement) => {
        const value = structuredClone(document.value)
        fc.pre(replaceAt(value, path, replacement as Json))
        expectError(
          catchError(() => verifyDocument({...document, value}, policy)),
          'WPK_TAMPERED',
        )
      }),
    )
  })
})

function leavesOf(value: Json, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]))
}

/** Replaces the value at a path; false when it is the same value already. */
function replaceAt(root: Json, path: string[], replacement: Json): boolean {
  const parent = path.slice(0, -1).reduce<Json>((node, key) => (node as Record<string, Json>)[key] ?? null, root)
  const key = path.at(-1) ?? ''
  const same = Object.is((parent as Record<string, Json>)[key], replacement)
  Object.assign(parent as object, {[key]: replacement})
  return !same
}
