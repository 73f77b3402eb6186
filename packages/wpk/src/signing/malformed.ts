import {AtomError} from '../errors.ts'

/** The error for a bundle or statement that is not exactly what it has to be; `why` says where. */
export function malformed(why: string, cause?: unknown): AtomError {
  return new AtomError('SIGNATURE_MALFORMED', `the signature bundle cannot be trusted: ${why}`, {
    hint: 'atomctl sign FILE   # signs it anew',
    cause,
  })
}
