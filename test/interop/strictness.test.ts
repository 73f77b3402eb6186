import {X509Certificate} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {expect} from 'chai'
import {bundleFromJSON} from '@sigstore/bundle'
import {TrustedRoot} from '@sigstore/protobuf-specs'
import {toSignedEntity, toTrustMaterial, Verifier} from '@sigstore/verify'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {decodeBundle} from '@atomctl/wpk/signing'
import {parseTrustRoot} from '@atomctl/wpk/trust/keyless'
import {createAuthority, type LeafOptions} from './authority.ts'
import {assemble, CONTENT, createForger, envelope, type Forger, message, outcomeOf, witness} from './forge.ts'
import {IDENTITY, type LoopbackSigstore, startSigstore} from './sigstore/index.ts'

const DIGEST = '6d4d6be54e7e83b3ceb9a7a4cb4a8b4b0d2b0d2b0d2b0d2b0d2b0d2b0d2b0d2b'
const REFUSALS = ['SIGNATURE_MALFORMED', 'WPK_TAMPERED', 'SIGNER_UNTRUSTED']

/** What sigstore-js, on its own, says to a bundle. */
function stockVerdict(bundle: JsonObject, trustedRoot: TrustedRootJson): 'accepted' | 'refused' {
  try {
    const material = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot))
    new Verifier(material).verify(toSignedEntity(bundleFromJSON(bundle), Buffer.from(CONTENT)))
    return 'accepted'
  } catch {
    return 'refused'
  }
}

interface Period {
  start?: string
  end?: string
}

interface TrustedRootJson {
  tlogs: {publicKey: {validFor: Period}}[]
  ctlogs: {publicKey: {validFor: Period}}[]
  certificateAuthorities: {validFor: Period}[]
  timestampAuthorities: {validFor: Period}[]
}

/** Where sigstore-js is less strict than cosign, or than a package manager should be. */
describe('keyless verification is stricter than sigstore-js:', function () {
  this.timeout(60_000)
  let sigstore: LoopbackSigstore
  let forger: Forger
  let certificate: string
  let good: JsonObject
  let root: TrustedRootJson
  before(async () => {
    sigstore = await startSigstore()
    root = JSON.parse(readFileSync(sigstore.trustedRoot, 'utf8')) as TrustedRootJson
    forger = createForger(sigstore)
    certificate = await forger.certify()
    const signed = message(forger.sign(Buffer.from(CONTENT)))
    good = assemble(signed, certificate, await witness(sigstore, signed, certificate))
  })
  after(() => sigstore[Symbol.asyncDispose]())

  const forge = async (payload: string, payloadType?: string): Promise<JsonObject> => {
    const content = envelope(forger, payload, payloadType)
    return assemble(content, certificate, await witness(sigstore, content, certificate))
  }

  it('(the bundle that is changed below is good)', async () => {
    expect(await outcomeOf(good, root)).to.equal('accepted')
    expect(stockVerdict(good, root)).to.equal('accepted')
  })

  it("a log entry must name the bundle's own certificate, not another one of the same key", async () => {
    const content = message(forger.sign(Buffer.from(CONTENT)))
    const foreign = await witness(sigstore, content, await forger.certify())
    const bundle = assemble(content, certificate, foreign)
    expect(stockVerdict(bundle, root)).to.equal('accepted')
    expect(await outcomeOf(bundle, root)).to.equal('WPK_TAMPERED')
  })

  const places: [string, (changed: TrustedRootJson) => {validFor: Period} | undefined][] = [
    ['transparency log', ({tlogs}) => tlogs[0]?.publicKey],
    ['certificate log', ({ctlogs}) => ctlogs[0]?.publicKey],
    ['certificate authority', ({certificateAuthorities}) => certificateAuthorities[0]],
    ['timestamp authority', ({timestampAuthorities}) => timestampAuthorities[0]],
  ]
  for (const [what, find] of places) {
    it(`a trusted root must say since when its ${what} is valid`, async () => {
      const changed = structuredClone(root)
      delete find(changed)?.validFor.start
      expect(stockVerdict(good, changed)).to.equal('accepted')
      expect(await outcomeOf(good, changed)).to.equal('TRUST_ROOT_INVALID')
    })

    it(`a ${what} that was retired before the signature vouches for nothing`, async () => {
      const changed = structuredClone(root)
      Object.assign(find(changed)?.validFor ?? {}, {end: new Date(Date.now() - 60_000).toISOString()})
      expect(await outcomeOf(good, changed)).to.be.oneOf(REFUSALS)
    })
  }

  it('an entry of a log that the trusted root does not know is not trusted; nothing was tampered with', async () => {
    expect(await outcomeOf(good, {...root, tlogs: []})).to.equal('SIGNER_UNTRUSTED')
  })

  it('a count is an int64, as other readers of the bundle take it', async () => {
    for (const logIndex of ['9223372036854775808', '-1', '1.5', '01', 2 ** 53]) {
      const bundle = structuredClone(good) as {verificationMaterial: {tlogEntries: JsonObject[]}}
      Object.assign(bundle.verificationMaterial.tlogEntries[0] ?? {}, {logIndex})
      expect(await outcomeOf(bundle, root), String(logIndex)).to.equal('SIGNATURE_MALFORMED')
    }
  })

  it('a bundle of version 0.3 has one certificate, no chain, and the refusal says what is wrong', async () => {
    const bundle = structuredClone(good) as {verificationMaterial: JsonObject}
    const {certificate: own, ...material} = bundle.verificationMaterial
    bundle.verificationMaterial = {...material, x509CertificateChain: {certificates: [own as Json]}}
    expect(await outcomeOf(bundle, root)).to.equal('SIGNATURE_MALFORMED')
    const trusted = parseTrustRoot(Buffer.from(JSON.stringify(root)), 'root')
    const decoded = decodeBundle(bundle)
    const verify = (): unknown => trusted.verifyCertified(decoded, () => true, {tlog: 1, timestamps: 1, sct: 1})
    expect(verify).to.throw(/cannot be verified \(invalid bundle/i)
  })

  it('a certificate needs a time that somebody vouches for', async () => {
    const bundle = structuredClone(good) as {
      verificationMaterial: {tlogEntries: JsonObject[]; timestampVerificationData?: Json}
    }
    delete bundle.verificationMaterial.timestampVerificationData
    delete bundle.verificationMaterial.tlogEntries[0]?.['inclusionPromise']
    expect(await outcomeOf(bundle, root)).to.equal('SIGNER_UNTRUSTED')
  })

  it('one clock that stamps twice is one clock, one log with two entries one log', async () => {
    const signed = message(forger.sign(Buffer.from(CONTENT)))
    const [first, second] = [await witness(sigstore, signed, certificate), await witness(sigstore, signed, certificate)]
    const twice = {
      tlogEntries: [...first.tlogEntries, ...second.tlogEntries],
      timestamps: [...first.timestamps, ...second.timestamps],
    }
    const trusted = parseTrustRoot(Buffer.from(JSON.stringify(root)), 'root')
    const bundle = decodeBundle(assemble(signed, certificate, twice))
    for (const [threshold, message] of [
      [{tlog: 2, timestamps: 1, sct: 1}, /of 1 transparency logs|duplicate/],
      [{tlog: 1, timestamps: 3, sct: 1}, /of 2 clocks|duplicate/],
    ] as const) {
      expect(() => trusted.verifyCertified(bundle, () => true, threshold)).to.throw(message)
    }
  })

  describe('of the certificates of a trusted authority', () => {
    const stampOnly = {tlog: 0, timestamps: 1, sct: 0}
    const verify = async (options: LeafOptions): Promise<void> => {
      const authority = await createAuthority()
      const signed = message(forger.sign(Buffer.from(CONTENT)))
      const {timestamps} = await witness(sigstore, signed, certificate)
      const leaf = (await authority.certify(new X509Certificate(certificate).publicKey, options)).toString('base64')
      const bundle = assemble(signed, leaf, {tlogEntries: [], timestamps})
      delete (bundle['verificationMaterial'] as JsonObject)['tlogEntries']
      const changed = structuredClone(root) as TrustedRootJson & {certificateAuthorities: object[]}
      changed.certificateAuthorities.push({
        ...changed.certificateAuthorities[0],
        certChain: {certificates: [{rawBytes: authority.root.toString('base64')}]},
      } as never)
      const trusted = parseTrustRoot(Buffer.from(JSON.stringify(changed)), 'root')
      const {identity} = trusted.verifyCertified(decodeBundle(bundle), () => true, stampOnly)
      expect(identity).to.equal(IDENTITY)
    }
    const refusal = (options: LeafOptions): Promise<unknown> =>
      verify(options).then(
        () => undefined,
        (error: unknown) => error,
      )

    it('(one for code signing is good)', async () => {
      await verify({})
    })

    it("one for something else, or for nothing in particular, is no signer's", async () => {
      for (const usages of [['1.3.6.1.5.5.7.3.1'], []]) {
        expect(await refusal({usages})).to.have.property('code', 'SIGNER_UNTRUSTED')
        expect(await refusal({usages}))
          .to.have.property('message')
          .that.contains('code signing')
      }
    })

    it("an authority's is no signer's", async () => {
      expect(await refusal({isAuthority: true})).to.have.property('code', 'SIGNER_UNTRUSTED')
      expect(await refusal({isAuthority: true}))
        .to.have.property('message')
        .that.contains('authority')
    })
  })

  const statement = (fields: object = {}): string =>
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{name: 'blob', digest: {sha256: DIGEST}}],
      predicateType: 'https://example.com/p/v1',
      predicate: {},
      ...fields,
    })
  const payloads: [string, string, string | undefined, string][] = [
    ['be about the file', statement(), undefined, 'WPK_TAMPERED'],
    ['be of in-toto', '{}', 'application/json', 'SIGNATURE_MALFORMED'],
    ['be a statement', statement({_type: 'https://example.com/Statement'}), undefined, 'SIGNATURE_MALFORMED'],
    ['have subjects', statement({subject: {}}), undefined, 'SIGNATURE_MALFORMED'],
    ['have no key twice', statement().replace('{', '{"_type":"x",'), undefined, 'SIGNATURE_MALFORMED'],
  ]
  for (const [what, payload, type, code] of payloads) {
    it(`a signed attestation must ${what}`, async () => {
      const bundle = await forge(payload, type)
      expect(stockVerdict(bundle, root)).to.equal('accepted')
      expect(await outcomeOf(bundle, root)).to.equal(code)
    })
  }

  it('whatever is changed anywhere in a bundle, it is refused with an error of ours', async function () {
    let count = 0
    for (const path of pathsIn(good)) {
      for (const change of CHANGES) {
        const bundle = withChange(good, path, change)
        const outcome = await outcomeOf(bundle, root)
        count++
        if (HARMLESS.test(path.join('.')) && outcome === 'accepted') continue
        expect(outcome, `${path.join('.')} → ${String(JSON.stringify(change))}`).to.be.oneOf(REFUSALS)
      }
    }
    expect(count).to.be.greaterThan(300)
  })

  it('an unknown field is refused wherever it stands', async () => {
    const objects = pathsIn(good).filter((path) => isObject(valueAt(good, path)))
    for (const path of [[], ...objects]) {
      const bundle = structuredClone(good)
      Object.assign(valueAt(bundle, path) as object, {extra: 1})
      expect(await outcomeOf(bundle, root), path.join('.')).to.equal('SIGNATURE_MALFORMED')
    }
  })
})

/**
 * Nothing signs these, or something else beside them is enough: where in the log the promise stands is signed by the
 * promise, and the whole of it may be missing; the list of timestamps may be, because the log has seen the signature too.
 */
const HARMLESS =
  /tlogEntries\.0\.inclusionPromise|timestampVerificationData|inclusionProof\.(logIndex|treeSize|hashes)|integratedTime$/

const CHANGES: readonly (Json | undefined)[] = [
  undefined,
  null,
  0,
  -1,
  1e30,
  '',
  'AAAA',
  'é',
  '../..',
  {},
  [],
  [null],
  true,
]

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Path = readonly string[]

function pathsIn(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => [[...path, key], ...pathsIn(child as Json, [...path, key])])
}

function valueAt(value: Json, path: Path): unknown {
  return path.reduce<unknown>((parent, key) => (parent as Record<string, unknown>)[key], value)
}

function withChange(bundle: JsonObject, path: Path, change: Json | undefined): JsonObject {
  const copy = structuredClone(bundle)
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string, Json>
  const key = path.at(-1) ?? ''
  if (change === undefined) delete parent[key]
  else parent[key] = change
  return copy
}
