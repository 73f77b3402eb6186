export {
  BUNDLE_MEDIA_TYPE,
  type DecodedBundle,
  decodeBundle,
  type EnvelopeContent,
  type MessageContent,
  parseBundle,
} from './bundle.ts'
export {bundleOf, payloadOf} from './embedded.ts'
export {generateKeyPair, importKeyPair, type KeyPair, publicKeyOf} from './keys.ts'
export {fingerprintOfHint, keyFingerprint, keyHint, parsePublicKey} from './public-key.ts'
export {isSealedKey} from './sealed-key.ts'
export {type SignedDocument, signDocument, signFile} from './sign.ts'
export {loadSigner, type Signer} from './signer.ts'
export {normalizeRegistry, PREDICATE_TYPE, readStatement, type SignedFile, type Statement} from './statement.ts'
export {isEnvelopeSignedBy, isMessageSignedBy} from './verify.ts'
