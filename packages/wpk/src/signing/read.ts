import {type DecodedBundle, decodeBundle, type EnvelopeContent} from './bundle.ts'
import {type Claims, readClaims} from './certificate.ts'
import {PAYLOAD_TYPE} from './envelope.ts'
import {malformed} from './malformed.ts'
import {fingerprintOfHint} from './public-key.ts'
import {readStatement, type Statement} from './statement.ts'

/** One embedded signature, taken apart. Nothing in it is verified yet. */
export interface ReadSignature {
  readonly bundle: DecodedBundle
  readonly envelope: EnvelopeContent
  readonly statement: Statement
}

/** Reads a bundle as the signature of a package. Throws SIGNATURE_MALFORMED for any other bundle. */
export function readSignature(json: object): ReadSignature {
  const bundle = decodeBundle(json)
  const {content} = bundle
  if (content.kind !== 'envelope' || content.payloadType !== PAYLOAD_TYPE)
    throw malformed('it holds no in-toto statement')
  return {bundle, envelope: content, statement: readStatement(content.payload)}
}

/** Who a bundle says it is signed by: a key's digest, or the person its certificate names. Only a claim. */
export type ClaimedSigner = {readonly fingerprint: string} | Claims

/** Throws SIGNATURE_MALFORMED when the bundle's certificate names nobody. */
export function claimedSigner({keyHint, certificate}: DecodedBundle): ClaimedSigner {
  return keyHint === undefined ? readClaims(certificate ?? Buffer.alloc(0)) : {fingerprint: fingerprintOfHint(keyHint)}
}
