import {createReadStream, type ReadStream, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {importKeyPair, loadSigner, publicKeyOf} from '@atomctl/wpk/signing'
import {verifyArtifact} from '@atomctl/wpk/trust'
import {findVectors, rejection} from './fixtures.ts'

interface KeyVector {
  file: string
  expect: string
  password?: string
  publicKey?: string
}

interface BundleVector {
  bundle?: string
  artifact: string
  key?: string
  expect: string
}

interface Index {
  keys: KeyVector[]
  bundles: BundleVector[]
  attestations: BundleVector[]
}

const vectors = findVectors()

describe('vectors made by cosign', () => {
  if (vectors === undefined) {
    it('are not on this machine', function () {
      this.skip()
    })
    return
  }
  const folder = join(vectors, 'cosign')
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  const index = JSON.parse(read('index.json')) as Index

  for (const vector of index.keys) {
    it(`key ${vector.file}: ${vector.expect}`, async function () {
      const check = KEY_CHECKS.get(vector.expect)
      if (!check) return this.skip()
      await check(vector, read)
    })
  }

  for (const vector of [...index.bundles, ...index.attestations].filter(({key}) => key !== undefined)) {
    const expected = /atomctl: fail/.test(vector.expect) ? 'fail' : vector.expect
    it(`${vector.bundle ?? 'bare signature'} over ${vector.artifact}: ${expected}`, async function () {
      const {bundle, key} = vector
      if (bundle === undefined || key === undefined) return this.skip() // a bare signature is no bundle
      const work = verifyArtifact(Buffer.from(read(bundle)), () => createReadStream(join(folder, vector.artifact)), {
        publicKeyPem: read(key),
      })
      const error = await rejection(work)
      if (expected === 'pass') expect(error).to.equal(undefined)
      else
        expect(error)
          .to.have.property('code')
          .that.is.oneOf(['WPK_TAMPERED', 'SIGNATURE_MALFORMED', 'SIGNER_UNTRUSTED'])
    })
  }
})

/** The conformance cases that are signed by key; test/interop runs all of them through the command line. */
describe('Sigstore conformance vectors', () => {
  if (vectors === undefined) {
    it('are not on this machine', function () {
      this.skip()
    })
    return
  }
  const folder = join(vectors, 'conformance')
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  const cases = (JSON.parse(read('index.json')) as {vectors: (BundleVector & {name: string})[]}).vectors

  for (const {name, bundle = '', artifact, key, expect: expected} of cases) {
    if (key === undefined) continue
    it(`${name}: ${expected}`, async () => {
      const open = (): ReadStream => createReadStream(join(folder, artifact))
      const error = await rejection(verifyArtifact(Buffer.from(read(bundle)), open, {publicKeyPem: read(key)}))
      if (expected === 'pass') expect(error).to.equal(undefined)
      else expect(error).to.have.property('code').that.is.oneOf(['SIGNER_UNTRUSTED', 'KEY_INVALID'])
    })
  }
})

type Check = (vector: KeyVector, read: (file: string) => string) => Promise<void>

/** Each key expectation of the index; the ones about keys without their password are left out. */
const KEY_CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    'load',
    async ({file, password, publicKey}, read) => {
      const publicKeyPem = await publicKeyOf(read(file), password)
      if (publicKey !== undefined) expect(publicKeyPem.trim()).to.equal(read(publicKey).trim())
    },
  ],
  [
    'reject',
    async ({file, password}, read) => {
      expect(await rejection(loadSigner(read(file), password))).to.have.property('code', 'KEY_INVALID')
    },
  ],
  [
    'import',
    async ({file}, read) => {
      const {privateKeyPem, publicKeyPem} = await importKeyPair(read(file), 'pw')
      expect(await publicKeyOf(privateKeyPem, 'pw')).to.equal(publicKeyPem)
    },
  ],
  [
    'import-reject',
    async ({file}, read) => {
      expect(await rejection(importKeyPair(read(file), 'pw'))).to.have.property('code', 'KEY_INVALID')
    },
  ],
])
