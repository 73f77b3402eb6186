import {type ErrorBody, errorBody} from '@atomctl/protocol/errors'
import {AtomError, type ErrorCode} from '../errors.ts'

/** Codes of the catalogue that a service may choose itself; everything else it sends is ignored. */
const SERVICE_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'WPK_INVALID',
  'WPK_UNREADABLE',
  'WPK_UNSIGNED',
  'WPK_TAMPERED',
  'SIGNATURE_MALFORMED',
  'SIGNER_UNTRUSTED',
  'SIGNER_EXPIRED',
  'SIGNER_REVOKED',
  'ARCHIVE_INVALID',
  'ARCHIVE_TOO_LARGE',
  'PARAMETER_INVALID',
  'POLICY_BLOCKED',
  'DRY_RUN_REQUIRED',
  'SECRET_DENIED',
  'NOT_AUTHENTICATED',
  'DENIED',
  'NOT_FOUND',
  'CONFLICT',
  'VERSION_EXISTS',
  'REQUEST_REJECTED',
  'NOT_SUPPORTED',
  'UNAVAILABLE',
  'STORAGE_FULL',
])

/** An answer with an error status, its body bounded and already read. */
export interface ErrorAnswer {
  readonly status: number
  readonly reason: string
  readonly contentType: string
  readonly text: string
  readonly origin: string
  readonly path: string
  /** How messages name the other side. */
  readonly service: string
  /** Taken out of whatever the service echoes. */
  readonly secret?: string | undefined
}

/**
 * The error of an HTTP status (protocol section 1.3). `details.status` and `details.detail` carry what commands print
 * under their own first line. A body is only used through its documented fields, never shown raw.
 */
export function rejectionOf(answer: ErrorAnswer): AtomError {
  const body = parseErrorBody(answer)
  const detail = body ? describe(body) : undefined
  const code = codeOf(answer, body)
  const shownDetail = clean(detail ?? answer.reason, answer.secret) || 'no reason given'
  const hint = body?.hint === undefined ? HINTS[code]?.(answer) : clean(body.hint, answer.secret)
  return new AtomError(code, `The ${answer.service} answered ${answer.status}: ${shownDetail}`, {
    ...(hint === undefined ? {} : {hint}),
    details: {
      status: answer.status,
      detail: shownDetail,
      origin: answer.origin,
      ...(body?.findings ? {findings: body.findings.map((finding) => cleanFinding(finding, answer.secret))} : {}),
    },
  })
}

function parseErrorBody({contentType, text}: ErrorAnswer): ErrorBody | undefined {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)) return undefined
  try {
    return errorBody.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** `body.file: field required` for the items of a 422; `input` and `ctx` echo the request and stay out. */
function describe({detail}: ErrorBody): string {
  if (typeof detail === 'string') return detail
  const items = detail.map(({loc = [], msg = 'invalid'}) => (loc.length > 0 ? `${loc.join('.')}: ${msg}` : msg))
  return items.length > 0 ? items.join('; ') : 'the request is invalid'
}

function codeOf({status}: ErrorAnswer, body: ErrorBody | undefined): ErrorCode {
  if (body?.code !== undefined && SERVICE_CODES.has(body.code)) return body.code as ErrorCode
  if (status === 404) return body && body.detail !== 'Not Found' ? 'NOT_FOUND' : 'ENDPOINT_NOT_FOUND'
  return STATUS_ERRORS[status] ?? (status >= 500 ? 'UNAVAILABLE' : 'REQUEST_REJECTED')
}

const STATUS_ERRORS: Readonly<Record<number, ErrorCode>> = {
  401: 'NOT_AUTHENTICATED',
  403: 'NOT_AUTHENTICATED',
  405: 'ENDPOINT_NOT_FOUND',
  407: 'UNAVAILABLE',
  408: 'UNAVAILABLE',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  412: 'CONFLICT',
  425: 'UNAVAILABLE',
  429: 'UNAVAILABLE',
  501: 'NOT_SUPPORTED',
}

const HINTS: Readonly<Partial<Record<ErrorCode, (answer: ErrorAnswer) => string>>> = {
  NOT_AUTHENTICATED: () => 'atomctl config --auth-token -   # or set ATOMCTL_AUTH_TOKEN',
  ENDPOINT_NOT_FOUND: ({origin, service}) =>
    `is ${origin} the ${service}? show it with atomctl config, change it with atomctl config set ${service}_url URL`,
}

/** Text of a service for a terminal: one line, bounded, without control characters or the token. */
export function clean(text: string, secret?: string): string {
  // A word as short as that is no secret, and taking it out would garble everything.
  const redacted = secret && secret.length >= 4 ? text.replaceAll(secret, '***') : text
  const line = redacted.replace(/\s*[\p{Cc}\p{Cf}\u2028\u2029]+\s*/gu, ' ').trim()
  return line.length > 1000 ? `${line.slice(0, 1000)}…` : line
}

function cleanFinding(finding: Readonly<Record<string, unknown>>, secret: string | undefined): Record<string, unknown> {
  const entries = Object.entries(finding)
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === 'string' ? clean(value, secret) : value]),
  )
}
