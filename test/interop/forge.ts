import {createHash, createSign, generateKeyPairSync} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {Readable} from 'node:stream'
import {HashAlgorithm, TransparencyLogEntry} from '@sigstore/protobuf-specs'
import {FulcioSigner, RekorWitness, type SignatureBundle, TSAWitness} from '@sigstore/sign'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {isAtomError} from '@atomctl/wpk/errors'
import {verifyArtifact} from '@atomctl/wpk/trust/artifact'
import {parseTrustRoot} from '@atomctl/wpk/trust/keyless'
import {IDENTITY, identityToken, ISSUER, type LoopbackSigstore} from './sigstore/index.ts'

export const CONTENT = 'some bytes'

/** Someone who talks to the Sigstore directly, with a key of their own, to make bundles that no client would. */
export interface Forger {
  /** PEM of a new certificate for the forger's one key. */
  certify(): Promise<string>
  sign(data: Uint8Array): Buffer
}

export function createForger({url}: LoopbackSigstore): Forger {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
  const sign = (data: Uint8Array): Buffer => createSign('sha256').update(data).sign(privateKey)
  const publicKeyPem = publicKey.export({type: 'spki', format: 'pem'}).toString()
  const keyHolder = {
    sign: async (data: Buffer) => {
      return {signature: sign(data), key: {$case: 'publicKey', publicKey: publicKeyPem} as const}
    },
  }
  const identityProvider = {getToken: async () => identityToken()}
  return {
    sign,
    async certify() {
      const {key} = await new FulcioSigner({fulcioBaseURL: url, identityProvider, keyHolder}).sign(Buffer.alloc(0))
      if (key.$case !== 'x509Certificate') throw new Error('no certificate')
      return key.certificate
    },
  }
}

export interface ForgedContent {
  readonly bundle: SignatureBundle
  readonly json: JsonObject
}

export function message(signature: Buffer, content = CONTENT): ForgedContent {
  const digest = createHash('sha256').update(content).digest()
  return {
    bundle: {
      $case: 'messageSignature',
      messageSignature: {messageDigest: {algorithm: HashAlgorithm.SHA2_256, digest}, signature},
    },
    json: {
      messageSignature: {
        messageDigest: {algorithm: 'SHA2_256', digest: digest.toString('base64')},
        signature: signature.toString('base64'),
      },
    },
  }
}

/** A DSSE envelope around any payload, signed properly. */
export function envelope(forger: Forger, payload: string, payloadType = 'application/vnd.in-toto+json'): ForgedContent {
  const bytes = Buffer.from(payload)
  const encoding = `DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} ${payload}`
  const sig = forger.sign(Buffer.from(encoding))
  return {
    bundle: {$case: 'dsseEnvelope', dsseEnvelope: {payload: bytes, payloadType, signatures: [{sig, keyid: ''}]}},
    json: {
      dsseEnvelope: {payload: bytes.toString('base64'), payloadType, signatures: [{sig: sig.toString('base64')}]},
    },
  }
}

export interface Witnesses {
  readonly tlogEntries: Json[]
  readonly timestamps: Buffer[]
}

export async function witness({url}: LoopbackSigstore, {bundle}: ForgedContent, pem: string): Promise<Witnesses> {
  const [{tlogEntries}, {rfc3161Timestamps}] = await Promise.all([
    new RekorWitness({rekorBaseURL: url}).testify(bundle, pem),
    new TSAWitness({tsaBaseURL: url}).testify(bundle),
  ])
  return {
    tlogEntries: tlogEntries.map((entry) => TransparencyLogEntry.toJSON(entry) as Json),
    timestamps: rfc3161Timestamps.map(({signedTimestamp}) => signedTimestamp),
  }
}

export function assemble({json}: ForgedContent, pem: string, {tlogEntries, timestamps}: Witnesses): JsonObject {
  const certificate = pem.replace(/-----[A-Z ]+-----|\s/g, '')
  const rfc3161Timestamps = timestamps.map((one) => ({signedTimestamp: one.toString('base64')}))
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: {rawBytes: certificate},
      tlogEntries,
      timestampVerificationData: {rfc3161Timestamps},
    },
    ...json,
  }
}

/** The code with which a bundle is refused, `accepted`, or whatever escaped that is not an error of ours. */
export async function outcomeOf(bundle: unknown, trustedRoot: object | string, content = CONTENT): Promise<string> {
  try {
    const root = typeof trustedRoot === 'string' ? readFileSync(trustedRoot) : Buffer.from(JSON.stringify(trustedRoot))
    const trust = {identity: IDENTITY, issuer: ISSUER, trustRoot: parseTrustRoot(root, 'trusted_root.json')}
    await verifyArtifact(bundle, () => Readable.from([Buffer.from(content)]), trust)
    return 'accepted'
  } catch (error) {
    return isAtomError(error) ? error.code : `escaped: ${(error as Error).stack}`
  }
}
