import {AtomError, isAtomError} from '../../errors.ts'
import {malformed} from '../../signing/malformed.ts'
import {tampered} from '../content.ts'

/** What sigstore-js calls a failure, and what it means here. Any code that is not listed is a bundle not understood. */
const MEANINGS: ReadonlyMap<unknown, 'tampered' | 'untrusted'> = new Map([
  ['SIGNATURE_ERROR', 'tampered'],
  ['TLOG_BODY_ERROR', 'tampered'],
  ['TLOG_INCLUSION_PROMISE_ERROR', 'tampered'],
  ['TLOG_INCLUSION_PROOF_ERROR', 'tampered'],
  ['TLOG_MISSING_INCLUSION_ERROR', 'tampered'],
  ['CERTIFICATE_ERROR', 'untrusted'],
  ['PUBLIC_KEY_ERROR', 'untrusted'],
  ['TIMESTAMP_ERROR', 'untrusted'],
  ['TLOG_ERROR', 'untrusted'],
])

/** The error for whatever was thrown while a bundle was verified: WPK_TAMPERED, SIGNER_UNTRUSTED or SIGNATURE_MALFORMED. */
export function describeRefusal(error: unknown, source: string): AtomError {
  if (isAtomError(error)) return error
  const {code, message, cause} = error as {code?: unknown; message?: string; cause?: {message?: string}}
  const meaning = MEANINGS.get(code)
  const why = cause?.message === undefined ? message : `${message}: ${cause.message}`
  if (meaning === 'tampered') return tampered(`the signature does not hold: ${why}`)
  if (meaning === 'untrusted') return untrustedCertificate(`${why} (trusted root ${source})`, error)
  return malformed(
    `it cannot be verified (${isValidation(error) ? message : (error as Error | undefined)?.name})`,
    error,
  )
}

/** The ValidationError of @sigstore/bundle, known by its list of fields: the built CLI has no class names. */
function isValidation(error: unknown): boolean {
  return Array.isArray((error as {fields?: unknown} | undefined)?.fields)
}

export function untrustedCertificate(why: string, cause?: unknown): AtomError {
  return new AtomError('SIGNER_UNTRUSTED', `the signature cannot be trusted: ${why}`, {
    hint: 'check that the trusted root belongs to the Sigstore that issued the certificate',
    cause,
  })
}
