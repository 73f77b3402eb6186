/** Why a secret has no value: docs/errors.md, "Secrets". */
export type SecretErrorCode = 'SECRET_UNAVAILABLE' | 'SECRET_DENIED' | 'SECRET_NOT_FOUND' | 'SECRET_INVALID'

/** A secret could not be read. The message names the place, and holds neither a value nor a token. */
export class SecretError extends Error {
  readonly code: SecretErrorCode
  /** Another attempt may come out differently. */
  readonly isRetryable: boolean

  constructor(code: SecretErrorCode, message: string, {isRetryable = false}: {isRetryable?: boolean} = {}) {
    super(message)
    this.name = 'SecretError'
    this.code = code
    this.isRetryable = isRetryable
  }
}
