import {AtomError, isAtomError} from '../errors.ts'

/** A failed attempt and whether sending it once more may help. */
export class Failure extends Error {
  readonly error: AtomError
  readonly retryable: boolean
  /** Milliseconds the service asked to wait. */
  readonly retryAfter: number | undefined
  readonly status: number | undefined

  constructor(
    error: AtomError,
    retryable: boolean,
    {retryAfter, status}: {retryAfter?: number | undefined; status?: number} = {},
  ) {
    super(error.message, {cause: error})
    this.error = error
    this.retryable = retryable
    this.retryAfter = retryAfter
    this.status = status
  }
}

type Explanation = readonly [code: 'UNAVAILABLE' | 'TIMEOUT' | 'PROTOCOL', message: string, retryable: boolean]

const CUT_OFF: Explanation = ['UNAVAILABLE', 'Connection closed before the answer was complete', true]
const RESET: Explanation = ['UNAVAILABLE', 'Connection reset', true]
const TIMED_OUT: Explanation = ['TIMEOUT', 'Connection timed out', true]

/** Keyed by Node's, OpenSSL's and undici's error codes, which are their contract; messages are not. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: ['UNAVAILABLE', 'Connection refused', true],
  ECONNRESET: RESET,
  EPIPE: RESET,
  UND_ERR_SOCKET: CUT_OFF,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CUT_OFF,
  ETIMEDOUT: TIMED_OUT,
  UND_ERR_CONNECT_TIMEOUT: TIMED_OUT,
  EHOSTUNREACH: ['UNAVAILABLE', 'Host unreachable', true],
  ENETUNREACH: ['UNAVAILABLE', 'Network unreachable', true],
  EAI_AGAIN: ['UNAVAILABLE', 'The name server does not answer', true],
  UND_ERR_HEADERS_OVERFLOW: ['PROTOCOL', 'The answer has more headers than any such service sends', false],
}

const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'The server certificate has expired',
  CERT_NOT_YET_VALID: 'The server certificate is not valid yet; is this clock right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The server certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'The server certificate was issued by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'The server certificate was issued by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The server certificate was issued by an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The server certificate was issued by an authority that is not trusted here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The server certificate is for another host name',
}

/**
 * What a failure below HTTP means to the reader. `origin` is all of the URL that is shown.
 * `https://nodejs.org/api/errors.html`, undici `docs/api/Errors.md`.
 */
export function failureOf(error: unknown, origin: string): Failure {
  if (error instanceof Failure) return error
  if (isAtomError(error)) return new Failure(error, false)
  const code = codeOf(error)
  if (code === 'ENOTFOUND')
    return network('UNAVAILABLE', `Host not found: ${new URL(origin).hostname}`, false, origin, code, error)
  if (code in CERTIFICATE_ERRORS) return certificate(CERTIFICATE_ERRORS[code] ?? '', origin, code, error)
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return notTls(origin, code, error)
  if (code.startsWith('HPE_') || code === 'HTTPParserError')
    return network('PROTOCOL', 'The answer is not HTTP', false, origin, code, error)
  if (error instanceof DOMException && error.name === 'NotReadableError') return fileChanged(error)
  const [kind, message, retryable] = EXPLANATIONS[code] ?? ['UNAVAILABLE', `The request failed (${code})`, false]
  return network(kind, message, retryable, origin, code, error)
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const {code, cause, errors} = error as Error & {code?: unknown; errors?: unknown[]}
  // An address tried over IPv6 and IPv4 fails with one error that holds both.
  if (typeof code === 'string' && code !== 'UND_ERR_INFO') return code
  if (errors?.[0] !== undefined) return codeOf(errors[0])
  return cause instanceof Error ? codeOf(cause) : error.name
}

function network(
  kind: Explanation[0],
  message: string,
  retryable: boolean,
  origin: string,
  reason: string,
  cause: unknown,
): Failure {
  const hint = `is ${origin} the right address, and is the service running? atomctl doctor tells`
  return new Failure(
    new AtomError(kind, `Network error: ${message}`, {hint, details: {origin, reason}, cause}),
    retryable,
  )
}

function certificate(message: string, origin: string, reason: string, cause: unknown): Failure {
  const hint = 'if the certificate is right, trust its authority: NODE_EXTRA_CA_CERTS=/path/to/ca.pem atomctl …'
  return new Failure(
    new AtomError('UNAVAILABLE', `Network error: ${message}`, {hint, details: {origin, reason}, cause}),
    false,
  )
}

function notTls(origin: string, reason: string, cause: unknown): Failure {
  const message = 'Network error: The server does not speak TLS'
  const hint = `use ${origin.replace(/^https/, 'http')} if the service has no certificate`
  return new Failure(new AtomError('UNAVAILABLE', message, {hint, details: {origin, reason}, cause}), false)
}

function fileChanged(cause: Error): Failure {
  return new Failure(new AtomError('INPUT_UNREADABLE', 'The file changed while it was being uploaded', {cause}), false)
}

/** What an aborted signal means: the reason when it is one of ours, else an interruption or a timeout. */
export function abortError(signal: AbortSignal): AtomError {
  const reason: unknown = signal.reason
  if (isAtomError(reason)) return reason
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new AtomError('TIMEOUT', 'The operation took longer than it was given', {cause: reason})
  }
  return new AtomError('INTERRUPTED', 'Interrupted', {cause: reason})
}
