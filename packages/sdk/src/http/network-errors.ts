/** Where a request went. */
export interface Place {
  /** All of the URL that is ever shown. */
  readonly origin: string
  /** Origin of the proxy in between, if any. */
  readonly proxy?: string | undefined
}

/** A network failure in the reader's words. */
export interface Explanation {
  readonly code: 'UNAVAILABLE' | 'TIMEOUT' | 'PROTOCOL'
  readonly message: string
  /** Sending the request once more may help. */
  readonly retryable: boolean
  readonly hint: string
}

type Entry = readonly [code: Explanation['code'], message: string, retryable: boolean]

const RESET: Entry = ['UNAVAILABLE', 'Connection reset', true]
const CUT_OFF: Entry = ['UNAVAILABLE', 'Connection closed before the answer was complete', true]
const TIMED_OUT: Entry = ['TIMEOUT', 'Connection timed out', true]
const NOT_HTTP: Entry = ['PROTOCOL', 'The answer is not HTTP', false]

/** Keyed by the error codes of Node and undici, which are their contract; their messages are not. */
const ENTRIES: Readonly<Record<string, Entry>> = {
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
  HTTPParserError: NOT_HTTP,
}

const UNKNOWN_AUTHORITY = 'The server certificate was issued by an authority that is not trusted here'

/** OpenSSL's verification codes, as Node passes them on. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'The server certificate has expired',
  CERT_NOT_YET_VALID: 'The server certificate is not valid yet; is this clock right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The server certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: 'The server certificate is for another host name',
}

/** undici's codes for a proxy that turns a request away. */
const PROXY_REFUSALS: ReadonlySet<string> = new Set(['UND_ERR_ABORTED', 'UND_ERR_INVALID_ARG', 'UND_ERR_PRX_TLS'])

/** The explanation of an error code; one for codes that nobody expected, too. */
export function explain(reason: string, place: Place): Explanation {
  const certificate = CERTIFICATES[reason]
  if (certificate !== undefined) return certificateProblem(certificate)
  if (reason === 'EPROTO' || reason.startsWith('ERR_SSL_')) return notTls(place)
  const [code, message, retryable] = entryOf(reason, place)
  return {code, message, retryable, hint: hintFor(place)}
}

function entryOf(reason: string, {origin, proxy}: Place): Entry {
  const host = new URL(origin).hostname
  if (reason === 'ENOTFOUND') return ['UNAVAILABLE', `Host not found: ${host}`, false]
  if (proxy !== undefined && PROXY_REFUSALS.has(reason)) return ['UNAVAILABLE', 'The proxy refuses the request', false]
  if (reason.startsWith('HPE_')) return NOT_HTTP
  return ENTRIES[reason] ?? ['UNAVAILABLE', `The request failed (${reason})`, false]
}

function hintFor({origin, proxy}: Place): string {
  if (proxy === undefined) return `is ${origin} the right address, and is the service running? atomctl doctor tells`
  return `requests go through the proxy ${proxy}: set no_proxy=${new URL(origin).hostname} if this one should not`
}

function certificateProblem(message: string): Explanation {
  const hint = 'if the certificate is right, trust its authority: NODE_EXTRA_CA_CERTS=/path/to/ca.pem atomctl …'
  return {code: 'UNAVAILABLE', message, retryable: false, hint}
}

function notTls({origin}: Place): Explanation {
  const hint = `use ${origin.replace(/^https/, 'http')} if the service has no certificate`
  return {code: 'UNAVAILABLE', message: 'The server does not speak TLS', retryable: false, hint}
}
