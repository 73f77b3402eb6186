import {readFileSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {decodeBundle} from '@atomctl/wpk/signing'
import {parseTrustRoot} from '@atomctl/wpk/trust/keyless'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {findCosign, runCosign} from './cosign.ts'
import {assemble, CONTENT, createForger, type Forger, message, outcomeOf, witness, type Witnesses} from './forge.ts'
import {IDENTITY, identityToken, ISSUER, type LoopbackSigstore, startSigstore} from './sigstore/index.ts'

interface Root extends JsonObject {
  tlogs: JsonObject[]
  certificateAuthorities: JsonObject[]
  ctlogs: JsonObject[]
  timestampAuthorities: JsonObject[]
}

interface Entry extends JsonObject {
  logIndex: string
  inclusionProof: {logIndex: string; treeSize: string; checkpoint: {envelope: string}}
}

const SIGNER = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', ISSUER]
const DAY = 86_400_000

/** Logs and clocks: what each of them has to say, and what several of them are worth. Where there is a cosign it agrees. */
describe('the witnesses of a keyless signature', function () {
  this.timeout(60_000)
  const cosign = findCosign()
  let sigstore: LoopbackSigstore
  let other: LoopbackSigstore
  let sandbox: Sandbox
  let root: Root
  let otherRoot: Root
  let forger: Forger
  let certificate: string
  let signed: ReturnType<typeof message>
  let ours: Witnesses
  let theirs: Witnesses
  /** With Rekor v2, made by atomctl. */
  let second: JsonObject

  const readRoot = ({trustedRoot}: LoopbackSigstore): Root => JSON.parse(readFileSync(trustedRoot, 'utf8')) as Root
  before(async () => {
    sigstore = await startSigstore()
    other = await startSigstore()
    sandbox = await createSandbox()
    root = readRoot(sigstore)
    otherRoot = readRoot(other)
    forger = createForger(sigstore)
    certificate = await forger.certify()
    signed = message(forger.sign(Buffer.from(CONTENT)))
    ours = await witness(sigstore, signed, certificate)
    theirs = await witness(other, signed, certificate)
    await writeFile(sandbox.path('content.bin'), CONTENT)
    const config = ['--signing-config', sigstore.signingConfigs[2], '--identity-token', identityToken()]
    const made = await sandbox.atomctl(['sign', '--detached', 'content.bin', '--keyless', ...config])
    expect(made.code, made.stderr).to.equal(0)
    second = JSON.parse(await readFile(sandbox.path('content.bin.sigstore.json'), 'utf8')) as JsonObject
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    await sigstore[Symbol.asyncDispose]()
  })

  const bundleOf = (witnesses: Partial<Witnesses>): JsonObject =>
    assemble(signed, certificate, {tlogEntries: ours.tlogEntries, timestamps: ours.timestamps, ...witnesses})

  /** Whether cosign accepts it as well; skips that half without a cosign. */
  const expectCosign = async (bundle: JsonObject, trusted: Root, accepts: boolean): Promise<void> => {
    if (cosign === undefined) return
    await writeFile(sandbox.path('bundle.json'), JSON.stringify(bundle))
    await writeFile(sandbox.path('root.json'), JSON.stringify(trusted))
    const args = ['verify-blob', ...SIGNER, '--trusted-root', 'root.json', '--use-signed-timestamps']
    const {code, output} = await runCosign(cosign, [...args, '--bundle', 'bundle.json', 'content.bin'], sandbox.home)
    expect(code === 0, output).to.equal(accepts)
  }

  const expectOutcome = async (bundle: JsonObject, trusted: Root, outcome: string): Promise<void> => {
    expect(await outcomeOf(bundle, trusted)).to.equal(outcome)
    await expectCosign(bundle, trusted, outcome === 'accepted')
  }

  it('(are good before they are changed below)', async () => {
    await expectOutcome(bundleOf({}), root, 'accepted')
    await expectOutcome(second, root, 'accepted')
  })

  describe('of an inclusion proof and its checkpoint', () => {
    const inEnvelope =
      (change: (envelope: string) => string) =>
      ({inclusionProof}: Entry): void => {
        inclusionProof.checkpoint.envelope = change(inclusionProof.checkpoint.envelope)
      }
    const twice = (envelope: string): string => `${envelope}${envelope.slice(envelope.lastIndexOf('\u2014'))}`
    const cases: [string, 1 | 2, (entry: Entry) => void][] = [
      ['a tree size that the checkpoint does not have', 1, (entry) => (entry.inclusionProof.treeSize = '9')],
      ['no tree size', 1, (entry) => (entry.inclusionProof.treeSize = '0')],
      ['an index that the proof is not for, of Rekor v2', 2, (entry) => (entry.logIndex = '7')],
      ['text behind the signatures', 1, inEnvelope((text) => `${text}more`)],
      ['text behind the signatures of Rekor v2', 2, inEnvelope((text) => `${text}\n`)],
      ['an empty line more before the signatures', 2, inEnvelope((text) => text.replace('\n\n', '\n\n\n'))],
      ['a second signer of Rekor v1', 1, inEnvelope((text) => `${text}\u2014 nobody AAAAAAAA\n`)],
      ["a part of the log's name, of Rekor v2", 2, inEnvelope((text) => text.replace(/\u2014 (\S)\S*/, '\u2014 $1'))],
    ]
    for (const [what, version, change] of cases) {
      it(`${what} is refused`, async () => {
        const bundle = structuredClone(version === 1 ? bundleOf({}) : second)
        const {tlogEntries} = bundle['verificationMaterial'] as unknown as {tlogEntries: Entry[]}
        for (const entry of tlogEntries) change(entry)
        await expectOutcome(bundle, root, 'WPK_TAMPERED')
      })
    }

    it('the same signature twice is refused', async () => {
      const bundle = structuredClone(second)
      const {tlogEntries} = bundle['verificationMaterial'] as unknown as {tlogEntries: Entry[]}
      for (const entry of tlogEntries) inEnvelope(twice)(entry)
      expect(await outcomeOf(bundle, root)).to.equal('WPK_TAMPERED')
    })

    it('a witness beside the log, of Rekor v2, is welcome', async () => {
      const bundle = structuredClone(second)
      const {tlogEntries} = bundle['verificationMaterial'] as unknown as {tlogEntries: Entry[]}
      for (const entry of tlogEntries) inEnvelope((text) => `${text}\u2014 witness AAAAAAAA\n`)(entry)
      await expectOutcome(bundle, root, 'accepted')
    })
  })

  describe('of a timestamp', () => {
    const [STATUS, SIGNED_DATA] = ['020100', '06092a864886f70d010702']
    const changed = (hex: string, offset: number, byte: number): Buffer => {
      const [stamp = Buffer.alloc(0)] = ours.timestamps
      const copy = Buffer.from(stamp)
      copy[copy.indexOf(hex, 'hex') + offset] = byte
      return copy
    }
    const cases: [string, () => Buffer, string][] = [
      ['one that was not granted', () => changed(STATUS, 2, 2), 'SIGNATURE_MALFORMED'],
      ['one that was granted with modifications', () => changed(STATUS, 2, 1), 'SIGNATURE_MALFORMED'],
      ['one that is no SEQUENCE', () => changed('30', 0, 0x31), 'SIGNATURE_MALFORMED'],
      ['one that is no signed data', () => changed(SIGNED_DATA, 10, 3), 'SIGNATURE_MALFORMED'],
      [
        // the last such identifier is that of the signature, which nothing signs
        'one signed in a way that nobody knows',
        () => {
          const [stamp = Buffer.alloc(0)] = ours.timestamps
          const copy = Buffer.from(stamp)
          copy[copy.lastIndexOf('2a8648ce3d040302', undefined, 'hex') + 7] = 9
          return copy
        },
        'SIGNATURE_MALFORMED',
      ],
    ]
    for (const [what, stamp, outcome] of cases) {
      it(`${what} is refused`, async () => {
        await expectOutcome(bundleOf({timestamps: [stamp()]}), root, outcome)
      })
    }
  })

  describe('of a timestamp that brings its certificate along', () => {
    /** The loopback authority leaves the list empty; nothing signs it. */
    const stampWith = (der: Buffer): Buffer => {
      const [stamp = Buffer.alloc(0)] = ours.timestamps
      const list = Buffer.concat([Buffer.of(0xa0, 0x82, der.length >> 8, der.length & 0xff), der])
      const at = stamp.indexOf('a0003182', undefined, 'hex')
      const grown = Buffer.concat([stamp.subarray(0, at), list, stamp.subarray(at + 2)])
      // response, content info, its content, signed data: each with a length of two bytes
      for (const offset of [0, 9, 24, 28]) {
        expect(grown[offset + 1]).to.equal(0x82)
        grown.writeUInt16BE(grown.readUInt16BE(offset + 2) + list.length - 2, offset + 2)
      }
      return grown
    }
    const chainOf = ({timestampAuthorities}: Root): Buffer[] => {
      const [{certChain}] = timestampAuthorities as [{certChain: {certificates: {rawBytes: string}[]}}]
      return certChain.certificates.map(({rawBytes}) => Buffer.from(rawBytes, 'base64'))
    }
    const certificates: [string, () => Buffer | undefined, string][] = [
      ["it is good with its authority's", () => chainOf(root)[0], 'accepted'],
      ["it is refused with another authority's", () => chainOf(otherRoot)[0], 'SIGNER_UNTRUSTED'],
      ['it is refused with that of an issuer alone', () => chainOf(root)[1], 'SIGNER_UNTRUSTED'],
      [
        "it is refused with the signer's",
        () => Buffer.from(certificate.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64'),
        'SIGNER_UNTRUSTED',
      ],
    ]
    for (const [what, find, outcome] of certificates) {
      it(what, async () => {
        await expectOutcome(bundleOf({timestamps: [stampWith(find() ?? Buffer.alloc(0))]}), root, outcome)
      })
    }
  })

  describe('several of them', () => {
    const both = (change: (authority: JsonObject) => void = () => {}): Root => {
      const [theirAuthority] = structuredClone(otherRoot.timestampAuthorities) as [JsonObject]
      change(theirAuthority)
      return {...root, timestampAuthorities: [...root.timestampAuthorities, theirAuthority]}
    }
    const outdated = (authority: JsonObject): void => {
      const [start, end] = [Date.now() - 2 * DAY, Date.now() - DAY].map((time) => new Date(time).toISOString())
      authority['validFor'] = {start, end} as JsonObject
    }
    it("a timestamp of a stranger beside a good one is nobody's word, before or behind it", async () => {
      await expectOutcome(bundleOf({timestamps: [...ours.timestamps, ...theirs.timestamps]}), root, 'accepted')
      await expectOutcome(bundleOf({timestamps: [...theirs.timestamps, ...ours.timestamps]}), root, 'accepted')
    })

    it('a timestamp of a stranger alone is refused, though a log vouches for the time', async () => {
      await expectOutcome(bundleOf({timestamps: theirs.timestamps}), root, 'SIGNER_UNTRUSTED')
    })

    it('a timestamp over another signature beside a good one is not counted', async () => {
      const foreign = await witness(sigstore, message(forger.sign(Buffer.from('other'))), certificate)
      await expectOutcome(bundleOf({timestamps: [...foreign.timestamps, ...ours.timestamps]}), root, 'accepted')
      await expectOutcome(bundleOf({timestamps: foreign.timestamps}), root, 'SIGNER_UNTRUSTED')
    })

    it('a threshold of clocks counts the log and those that are trusted', () => {
      const timestamps = [...ours.timestamps, ...theirs.timestamps]
      const verify = (trusted: Root, count: number): unknown =>
        parseTrustRoot(Buffer.from(JSON.stringify(trusted)), 'root').verifyCertified(
          decodeBundle(bundleOf({timestamps})),
          () => true,
          {tlog: 1, timestamps: count, sct: 1},
        )
      expect(() => verify(root, 2)).not.to.throw()
      expect(() => verify(root, 3)).to.throw(/2 clocks|expected 3/)
      expect(() => verify(both(outdated), 3)).to.throw(/2 clocks|expected 3/)
    })

    it('an authority that was retired before the signature is a stranger', async () => {
      const timestamps = [...theirs.timestamps, ...ours.timestamps]
      await expectOutcome(bundleOf({timestamps}), both(outdated), 'accepted')
      await expectOutcome(bundleOf({timestamps: theirs.timestamps}), both(outdated), 'SIGNER_UNTRUSTED')
      await expectOutcome(bundleOf({timestamps: theirs.timestamps}), both(), 'accepted')
    })

    it('the same timestamp twice is refused', async () => {
      const timestamps = [...ours.timestamps, ...ours.timestamps]
      expect(await outcomeOf(bundleOf({timestamps}), root)).to.equal('SIGNER_UNTRUSTED')
    })

    it("an entry of a log that nobody knows is nobody's word beside a good one, and refused alone", async () => {
      const tlogEntries = [...ours.tlogEntries, ...theirs.tlogEntries]
      const trusted = {...root, tlogs: [...root.tlogs, ...otherRoot.tlogs]}
      await expectOutcome(bundleOf({tlogEntries}), trusted, 'accepted')
      await expectOutcome(bundleOf({tlogEntries}), root, 'accepted')
      await expectOutcome(bundleOf({tlogEntries: tlogEntries.toReversed()}), root, 'accepted')
      await expectOutcome(bundleOf({tlogEntries: theirs.tlogEntries}), root, 'SIGNER_UNTRUSTED')
    })

    it('an entry about another signature beside the good one is refused', async () => {
      const foreign = await witness(sigstore, message(forger.sign(Buffer.from('other'))), certificate)
      const bundle = bundleOf({tlogEntries: [...ours.tlogEntries, ...foreign.tlogEntries]})
      expect(await outcomeOf(bundle, root)).to.be.oneOf(['WPK_TAMPERED', 'SIGNER_UNTRUSTED'])
      await expectCosign(bundle, root, false)
    })

    const chained = async (...others: string[]): Promise<JsonObject> => {
      const bundle = structuredClone(bundleOf({}))
      const {certificate: leaf, ...material} = bundle['verificationMaterial'] as JsonObject
      const rest = others.map((pem) => ({rawBytes: pem.replace(/-----[A-Z ]+-----|\s/g, '')}))
      const x509CertificateChain = {certificates: [leaf as Json, ...rest]}
      return {
        ...bundle,
        mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2',
        verificationMaterial: {...material, x509CertificateChain},
      }
    }

    it("of several certificates in the chain of an earlier bundle the first is the signer's", async () => {
      const another = await forger.certify()
      await expectOutcome(await chained(), root, 'accepted')
      await expectOutcome(await chained(another), root, 'accepted')
      const [{certChain}] = root.certificateAuthorities as [{certChain: {certificates: {rawBytes: string}[]}}]
      // cosign does not mind, the conformance suite does
      const rooted = await chained(certChain.certificates[0]?.rawBytes ?? '')
      expect(await outcomeOf(rooted, root)).to.equal('SIGNATURE_MALFORMED')
      const swapped = await chained(another)
      const {x509CertificateChain} = swapped['verificationMaterial'] as {x509CertificateChain: {certificates: Json[]}}
      x509CertificateChain.certificates.reverse()
      await expectOutcome(swapped, root, 'WPK_TAMPERED')
    })
  })
})
