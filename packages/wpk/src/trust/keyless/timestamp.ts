import {X509Certificate} from 'node:crypto'
import type {TrustMaterial} from '@sigstore/verify'
import {DER, type DerNode, encodeObjectId, readDer, readDerList} from '../../signing/der.ts'
import {malformed} from '../../signing/malformed.ts'
import {untrustedCertificate} from './refusal.ts'

/** PKIStatus granted (RFC 3161, 2.4.2). Like cosign, nothing that was granted with modifications. */
const GRANTED = Buffer.of(0)
/** With which a timestamp may be signed; for any other sigstore-js would take whatever OpenSSL takes for the key. */
const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set(
  [
    // ECDSA with SHA-256, 384, 512
    '1.2.840.10045.4.3.2',
    '1.2.840.10045.4.3.3',
    '1.2.840.10045.4.3.4',
    // RSA, and RSA with SHA-256, 384, 512
    '1.2.840.113549.1.1.1',
    '1.2.840.113549.1.1.11',
    '1.2.840.113549.1.1.12',
    '1.2.840.113549.1.1.13',
  ].map((id) => encodeObjectId(id).toString('hex')),
)
/** Content type signed-data, 1.2.840.113549.1.7.2 (RFC 5652, 5.1). */
const SIGNED_DATA = '2a864886f70d010702'

/**
 * Checks what sigstore-js does not look at in a TimeStampResp (RFC 3161, 2.4.2): that it grants a timestamp, that its
 * parts are the ones that have to be there, and that the certificate it may bring along is the one of a trusted
 * authority. What is signed in it sigstore-js verifies. Throws SIGNATURE_MALFORMED, SIGNER_UNTRUSTED.
 */
export function checkResponse(response: Buffer, authorities: TrustMaterial['timestampAuthorities']): void {
  const [status, token, ...others] = readDerList(readDer(response, DER.sequence))
  if (!status || !token || others.length > 0) throw malformed('its timestamp is not built as RFC 3161 says')
  checkStatus(expectTag(status, DER.sequence))
  checkBrought(readSignedData(expectTag(token, DER.sequence)), authorities)
}

function checkStatus(info: Buffer): void {
  const [status] = readDerList(info)
  if (!expectTag(status, DER.integer).equals(GRANTED)) throw malformed('its timestamp was not granted')
}

/** The certificates of the SignedData in a ContentInfo (RFC 5652, 5.1), whose every part is of the kind it has to be. */
function readSignedData(contentInfo: Buffer): Buffer[] {
  const [type, wrapped, ...others] = readDerList(contentInfo)
  if (readObjectId(type) !== SIGNED_DATA || others.length > 0) throw malformed('its timestamp is not signed data')
  const [version, algorithms, content, ...rest] = readDerList(readDer(expectTag(wrapped, DER.tagged), DER.sequence))
  expectTag(version, DER.integer)
  for (const algorithm of readDerList(expectTag(algorithms, DER.set))) readAlgorithm(algorithm)
  checkContent(expectTag(content, DER.sequence))
  checkSigners(expectTag(rest.pop(), DER.set))
  const [certificates, ...more] = rest
  if (more.length > 0) throw malformed('its timestamp holds more than a timestamp')
  return certificates ? readDerList(expectTag(certificates, DER.tagged)).map(({encoded}) => encoded) : []
}

function checkContent(content: Buffer): void {
  const [type, wrapped, ...others] = readDerList(content)
  readObjectId(type)
  readDer(expectTag(wrapped, DER.tagged), DER.octetString)
  if (others.length > 0) throw malformed('its timestamp is not built as RFC 3161 says')
}

/** One SignerInfo (RFC 5652, 5.3) with signed attributes, which names its signer by issuer and serial number. */
function checkSigners(signers: Buffer): void {
  const [version, signer, digest, attributes, algorithm, signature] = readDerList(readDer(signers, DER.sequence))
  expectTag(version, DER.integer)
  const [issuer, serialNumber] = readDerList(expectTag(signer, DER.sequence))
  expectTag(issuer, DER.sequence)
  expectTag(serialNumber, DER.integer)
  readAlgorithm(digest)
  expectTag(attributes, DER.tagged)
  if (!SIGNATURE_ALGORITHMS.has(readAlgorithm(algorithm))) throw malformed('its timestamp is signed in an unknown way')
  expectTag(signature, DER.octetString)
}

/** Hex of the identifier in an AlgorithmIdentifier. */
function readAlgorithm(node: DerNode | undefined): string {
  return readObjectId(readDerList(expectTag(node, DER.sequence))[0])
}

function readObjectId(node: DerNode | undefined): string {
  const id = expectTag(node, DER.objectId)
  if ((id.at(-1) ?? 0x80) >= 0x80) throw malformed('its timestamp has an object identifier that is cut off')
  return id.toString('hex')
}

/** Like cosign: of the certificates that come along the signer's, the first that is no authority's, must be a trusted one. */
function checkBrought(certificates: readonly Buffer[], authorities: TrustMaterial['timestampAuthorities']): void {
  if (certificates.length === 0) return
  const brought = certificates.find((der) => !new X509Certificate(der).ca)
  const trusted = authorities.some(({certChain: [leaf]}) => brought && leaf?.root.toDER().equals(brought))
  if (!trusted) throw untrustedCertificate("the timestamp brings along a certificate that is not its authority's")
}

function expectTag(node: DerNode | undefined, tag: number): Buffer {
  if (node?.tag !== tag) throw malformed('its timestamp is not built as RFC 3161 says')
  return node.content
}
