import {createPublicKey, type KeyObject, X509Certificate} from 'node:crypto'
import {tampered} from '../content.ts'

/**
 * Checks that a transparency log entry names the very key or certificate of the bundle. sigstore-js compares digest
 * and signature only, so it accepts the entry of somebody else's certificate over the same key.
 * Throws WPK_TAMPERED; TypeError or SyntaxError for a body that makes no sense.
 */
export function checkVerifier(body: Buffer, signer: {readonly key: KeyObject; readonly certificate?: Buffer}): void {
  const verifiers = verifiersOf(JSON.parse(body.toString('utf8')) as Body)
  const isSame = verifiers.length > 0 && verifiers.every((verifier) => isVerifier(verifier, signer))
  if (!isSame) throw tampered('the transparency log entry is about another key or certificate than the bundle')
}

interface Body {
  readonly kind: string
  readonly spec: {
    readonly signature?: {readonly publicKey?: {readonly content: string}}
    readonly signatures?: readonly {readonly verifier?: string}[]
    readonly content?: {readonly envelope: {readonly signatures: readonly {readonly publicKey: string}[]}}
    readonly hashedRekordV002?: {readonly signature: {readonly verifier: VerifierV2}}
    readonly dsseV002?: {readonly signatures: readonly {readonly verifier: VerifierV2}[]}
  }
}

interface VerifierV2 {
  readonly publicKey?: {readonly rawBytes: string}
  readonly x509Certificate?: {readonly rawBytes: string}
}

/** PEM (Rekor v1) or DER (Rekor v2) of every verifier an entry names. */
function verifiersOf({spec}: Body): Buffer[] {
  const first = spec.signature?.publicKey?.content
  const envelope = (spec.signatures ?? []).map(({verifier}) => verifier)
  const intoto = (spec.content?.envelope.signatures ?? []).map(({publicKey}) => publicKey)
  const second = [spec.hashedRekordV002?.signature, ...(spec.dsseV002?.signatures ?? [])].flatMap((signature) =>
    signature ? [signature.verifier.x509Certificate?.rawBytes ?? signature.verifier.publicKey?.rawBytes] : [],
  )
  const texts = [...(first === undefined ? [] : [first]), ...envelope, ...intoto, ...second]
  return texts.map((text) => Buffer.from(text ?? '', 'base64'))
}

function isVerifier(verifier: Buffer, {key, certificate}: {key: KeyObject; certificate?: Buffer}): boolean {
  if (certificate) return new X509Certificate(verifier).raw.equals(certificate)
  const isPem = verifier.subarray(0, 5).toString('latin1') === '-----'
  const other = isPem ? createPublicKey(verifier) : createPublicKey({key: verifier, format: 'der', type: 'spki'})
  return other.equals(key)
}
