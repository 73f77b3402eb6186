import {AtomError, isAtomError} from '../errors.ts'

interface Failure {
  readonly message?: string
  readonly cause?: {readonly message?: string; readonly statusCode?: number}
}

/**
 * What a failed request to Fulcio, Rekor or a timestamp authority means. The cause is not passed on and the token is
 * cut out: a server may quote it.
 */
export function describeServiceFailure(error: unknown, url: string, token?: string): AtomError {
  if (isAtomError(error)) return error
  const {message = 'unknown failure', cause} = error as Failure
  const why = redact(cause?.message ?? message, token)
  const status = cause?.statusCode
  if (status === undefined || status >= 500) {
    return new AtomError('UNAVAILABLE', `${url} cannot be used: ${why}`, {hint: 'check the URL, or try again'})
  }
  if (token !== undefined && (status === 400 || status === 401 || status === 403)) {
    return new AtomError('IDENTITY_TOKEN_INVALID', `${url} refuses the identity token: ${why}`, {
      hint: 'get a fresh token with the audience sigstore, from an issuer that this Sigstore trusts',
    })
  }
  return new AtomError('REQUEST_REJECTED', `${url} refuses the signature: ${why}`, {hint: 'check the URL'})
}

function redact(text: string, token: string | undefined): string {
  return token ? text.replaceAll(token, '***') : text
}
