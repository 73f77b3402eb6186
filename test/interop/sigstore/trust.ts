import {sha256} from './digest.ts'

export interface Keys {
  readonly url: string
  readonly rekor: Uint8Array
  readonly rekorV2: {readonly url: string; readonly spki: Uint8Array; readonly keyId: Uint8Array}
  readonly ctlog: Uint8Array
  readonly caRoot: Uint8Array
  /** Leaf first. */
  readonly tsaChain: readonly Uint8Array[]
}

const HOUR = 3_600_000
const OPERATOR = 'loopback'

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** TrustedRoot JSON of the loopback Sigstore. */
export function trustedRoot(keys: Keys): object {
  const validFor = {start: new Date(Date.now() - HOUR).toISOString()}
  const log = (baseUrl: string, der: Uint8Array, keyId: Uint8Array, keyDetails: string): object => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {rawBytes: base64(der), keyDetails, validFor},
    logId: {keyId: base64(keyId)},
    operator: OPERATOR,
  })
  const authority = (chain: readonly Uint8Array[]): object => ({
    subject: {commonName: OPERATOR, organization: OPERATOR},
    uri: keys.url,
    certChain: {certificates: chain.map((der) => ({rawBytes: base64(der)}))},
    validFor,
    operator: OPERATOR,
  })
  const {rekor, rekorV2, ctlog, url} = keys
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      log(url, rekor, sha256(rekor), 'PKIX_ECDSA_P256_SHA_256'),
      log(rekorV2.url, rekorV2.spki, rekorV2.keyId, 'PKIX_ED25519'),
    ],
    certificateAuthorities: [authority([keys.caRoot])],
    ctlogs: [log(url, ctlog, sha256(ctlog), 'PKIX_ECDSA_P256_SHA_256')],
    timestampAuthorities: [authority(keys.tsaChain)],
  }
}

/** SigningConfig JSON that has signatures logged by a Rekor of this version. */
export function signingConfig({url, rekorV2}: Keys, version: 1 | 2): object {
  const start = new Date(Date.now() - HOUR).toISOString()
  const service = (address: string, majorApiVersion: number): object => {
    return {url: address, majorApiVersion, validFor: {start}, operator: OPERATOR}
  }
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service(url, 1)],
    oidcUrls: [],
    rekorTlogUrls: [version === 2 ? service(rekorV2.url, 2) : service(url, 1)],
    rekorTlogConfig: {selector: 'ANY'},
    tsaUrls: [service(`${url}/api/v1/timestamp`, 1)],
    tsaConfig: {selector: 'ANY'},
  }
}
