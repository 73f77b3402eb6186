import type {WpkDocument} from '../document/index.ts'
import type {Provenance} from '../signing/provenance.ts'
import type {SignedFile} from '../signing/statement.ts'
import type {Level} from './levels.ts'

/** Who signed: the key's digest, and its name in the policy when it has one; for a keyless signature, the person. */
export interface SignedBy {
  readonly key?: string
  /** `SHA256:<base64>`; of a keyless signature, of the key that existed for it only. */
  readonly fingerprint: string
  /** Keyless: e-mail address or URI in the certificate. */
  readonly identity?: string
  /** Keyless: who vouched for the identity. */
  readonly issuer?: string
  /** When a witness saw the signature (ISO 8601); a signature by key alone has no trusted time. */
  readonly signedAt?: string
}

/** The warning about a bundle that brings more evidence than a check by key takes. */
export const WITNESSES_IGNORED = 'the bundle has transparency log entries or timestamps; they were not checked'

/** How a document came to be accepted. */
export interface Verification {
  readonly level: Level
  /** Name of the rule that decided; `(default)` when none matched. */
  readonly rule: string
  readonly signers: readonly SignedBy[]
  /** Everything that a stricter level would have refused; show them. */
  readonly warnings: readonly string[]
  /** The further files that the signature covers. */
  readonly files: readonly SignedFile[]
  /** What the trusted signer states about how it was built, if anything. */
  readonly provenance?: Provenance
}

const CONSTRUCTION = Symbol('construction by verifyDocument')

/**
 * A document that went through `verifyDocument`, the only thing that push and execute accept. It cannot be forged:
 * the constructor asks for a key that this room keeps, and the private field makes literals and `Object.create` fail.
 */
export class VerifiedDocument {
  readonly #brand = true
  readonly document: WpkDocument
  /** `sha256:<hex>` of the canonical document. */
  readonly digest: string
  readonly verification: Verification

  constructor(key: typeof CONSTRUCTION, document: WpkDocument, digest: string, verification: Verification) {
    if (key !== CONSTRUCTION) throw new TypeError('only verifyDocument makes a VerifiedDocument')
    this.document = document
    this.digest = digest
    this.verification = verification
    // What was verified must stay what was verified.
    freeze(document.value)
    freeze(verification)
    Object.freeze(this)
  }

  static has(value: unknown): value is VerifiedDocument {
    return typeof value === 'object' && value !== null && #brand in value && value.#brand
  }
}

/** Whether a value really is a VerifiedDocument; for callers that the type checker cannot hold to it (plugins). */
export function isVerified(value: unknown): value is VerifiedDocument {
  return VerifiedDocument.has(value)
}

/** For this room only: not exported from its index. */
export function createVerified(document: WpkDocument, digest: string, verification: Verification): VerifiedDocument {
  return new VerifiedDocument(CONSTRUCTION, document, digest, verification)
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const child of Object.values(value)) freeze(child)
}
