// Loaded for `--keyless` only: @sigstore/sign brings an HTTP client of its own.
import {createHash, createSign, generateKeyPairSync, type KeyObject, X509Certificate} from 'node:crypto'
import {HashAlgorithm, TransparencyLogEntry} from '@sigstore/protobuf-specs'
import {FulcioSigner, RekorWitness, type SignatureBundle, TSAWitness, type Witness} from '@sigstore/sign'
import {type Claims, readClaims, type SignedContent, type Signer, type Witnessed} from '@atomctl/wpk/signing'
import {describeServiceFailure} from './failure.ts'
import type {IdentityToken} from './identity-token.ts'
import type {LogService, SigstoreServices} from './services.ts'

/** Per request in milliseconds; a Rekor v2 answers only when the entry is in the log. */
const TIMEOUT = 20_000
const FETCH = {retry: {retries: 2}, timeout: TIMEOUT}

/**
 * Has a new key certified for the identity in the token. The key lives in this object only; the certificate is good
 * for some minutes, enough for all signatures of one command.
 * @throws IDENTITY_TOKEN_INVALID, UNAVAILABLE, REQUEST_REJECTED
 */
export async function certifySigner(token: IdentityToken, services: SigstoreServices): Promise<Signer> {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
  const publicKeyPem = publicKey.export({type: 'spki', format: 'pem'}).toString()
  const keyHolder = {
    sign: async (data: Buffer) => {
      const key = {$case: 'publicKey', publicKey: publicKeyPem} as const
      return {signature: createSign('sha256').update(data).sign(privateKey), key}
    },
  }
  const identityProvider = {getToken: async () => token.text}
  const fulcio = new FulcioSigner({fulcioBaseURL: services.fulcioUrl, identityProvider, keyHolder, ...FETCH})
  try {
    const {key} = await fulcio.sign(Buffer.alloc(0))
    if (key.$case !== 'x509Certificate') throw new Error('no certificate came back')
    return new KeylessSigner(privateKey, publicKey, key.certificate, services)
  } catch (error) {
    throw describeServiceFailure(error, services.fulcioUrl, token.text)
  }
}

class KeylessSigner implements Signer {
  readonly keyHint: string
  readonly publicKeyPem: string
  readonly claims: Claims
  readonly #privateKey: KeyObject
  readonly #certificatePem: string
  readonly #certificate: Buffer
  readonly #services: SigstoreServices

  constructor(privateKey: KeyObject, publicKey: KeyObject, certificatePem: string, services: SigstoreServices) {
    const certificate = new X509Certificate(certificatePem)
    if (!certificate.publicKey.equals(publicKey)) throw new Error('the certificate is for another key')
    this.#privateKey = privateKey
    this.#certificatePem = certificatePem
    this.#certificate = certificate.raw
    this.#services = services
    this.publicKeyPem = publicKey.export({type: 'spki', format: 'pem'}).toString()
    this.keyHint = createHash('sha256')
      .update(publicKey.export({type: 'spki', format: 'der'}))
      .digest('base64')
    this.claims = readClaims(certificate.raw)
  }

  async sign(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const signing = createSign('sha256')
    if (data instanceof Uint8Array) signing.update(data)
    else for await (const chunk of data) signing.update(chunk)
    return signing.sign(this.#privateKey)
  }

  readonly witness = async (content: SignedContent): Promise<Witnessed> => {
    const {logs, tsaUrls} = this.#services
    const answers = await Promise.all([
      ...logs.map(({url, version}) => this.#ask(url, logWitness({url, version}), content)),
      ...tsaUrls.map((url) => this.#ask(url, new TSAWitness({tsaBaseURL: url, ...FETCH}), content)),
    ])
    return {
      certificate: this.#certificate,
      tlogEntries: answers.flatMap(({tlogEntries = []}) => tlogEntries).map(writeEntry),
      timestamps: answers.flatMap(({rfc3161Timestamps = []}) => rfc3161Timestamps.map((one) => one.signedTimestamp)),
    }
  }

  async #ask(url: string, witness: Witness, content: SignedContent): ReturnType<Witness['testify']> {
    try {
      return await witness.testify(signatureBundle(content), this.#certificatePem)
    } catch (error) {
      throw describeServiceFailure(error, url)
    }
  }
}

function logWitness({url, version}: LogService): Witness {
  return new RekorWitness({rekorBaseURL: url, majorApiVersion: version, entryType: 'dsse', ...FETCH})
}

function writeEntry(entry: TransparencyLogEntry): object {
  return TransparencyLogEntry.toJSON(entry) as object
}

function signatureBundle(content: SignedContent): SignatureBundle {
  const signature = Buffer.from(content.signature)
  if (content.kind === 'message') {
    const messageDigest = {algorithm: HashAlgorithm.SHA2_256, digest: Buffer.from(content.digest)}
    return {$case: 'messageSignature', messageSignature: {messageDigest, signature}}
  }
  const {payloadType} = content
  const payload = Buffer.from(content.payload)
  return {$case: 'dsseEnvelope', dsseEnvelope: {payloadType, payload, signatures: [{sig: signature, keyid: ''}]}}
}
