/** How one error code ends the process (spec: CLI contract, exit codes) and what it means in one line. */
export interface ErrorEntry {
  readonly exit: number
  readonly summary: string
}

/**
 * Errors of the package format itself. The SDK merges this table into the one catalogue that
 * docs/errors.md documents; add a code here only when the format, signing or trust can raise it.
 */
export const WPK_ERRORS = {
  WPK_INVALID: {exit: 3, summary: 'The document fails the gate, the schema, a semantic check or the security policy'},
  WPK_UNREADABLE: {exit: 3, summary: 'The file is not a workflow package: not UTF-8, too large, or not YAML'},
  WPK_UNSIGNED: {exit: 10, summary: 'The package carries no signature and the trust policy requires one'},
  WPK_TAMPERED: {exit: 11, summary: 'The signature does not match the content'},
  SIGNATURE_MALFORMED: {exit: 11, summary: 'The signature or bundle cannot be understood, so it cannot be trusted'},
  SIGNATURE_EXISTS: {exit: 7, summary: 'The package has a signature by this signer, or as many as there may be'},
  SIGNER_UNTRUSTED: {exit: 12, summary: 'The signature is sound but the trust policy does not trust its signer'},
  SIGNER_EXPIRED: {exit: 12, summary: 'The signing key was past its notAfter date'},
  SIGNER_REVOKED: {exit: 12, summary: 'The trust policy revokes the signing key'},
  TRUST_POLICY_INVALID: {exit: 2, summary: 'The trust policy file cannot be read or contradicts itself'},
  TRUST_ROOT_INVALID: {exit: 2, summary: 'The trusted root of a Sigstore cannot be read or says too little'},
  ARCHIVE_INVALID: {exit: 3, summary: 'The archive is not a canonical package tarball'},
  ARCHIVE_TOO_LARGE: {exit: 3, summary: 'The archive exceeds a size, count or expansion limit'},
  KEY_INVALID: {exit: 2, summary: 'The key file is not a supported key'},
  KEY_PASSWORD: {exit: 4, summary: 'The key password is wrong or missing'},
  PARAMETER_INVALID: {exit: 2, summary: 'A parameter is missing, unknown or of the wrong type'},
} as const satisfies Record<string, ErrorEntry>

export type WpkErrorCode = keyof typeof WPK_ERRORS

export interface AtomErrorOptions {
  /** A command or an edit the reader can do next, as it would be typed. */
  hint?: string
  /** Machine-readable facts for `--json`; must hold no secret. */
  details?: Readonly<Record<string, unknown>>
  cause?: unknown
}

/**
 * The one error type of atomctl. `code` is the contract: match on it, never on the message and never
 * by `instanceof` (a user-installed plugin brings its own copy of this class).
 */
export class AtomError<Code extends string = string> extends Error {
  readonly code: Code
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: Code, message: string, {hint, details, cause}: AtomErrorOptions = {}) {
    super(message, cause === undefined ? undefined : {cause})
    this.name = 'AtomError'
    this.code = code
    this.hint = hint
    this.details = details
  }
}

/** True for an AtomError of this or any other copy of the package. */
export function isAtomError(error: unknown): error is AtomError {
  return error instanceof Error && error.name === 'AtomError' && typeof (error as {code?: unknown}).code === 'string'
}
