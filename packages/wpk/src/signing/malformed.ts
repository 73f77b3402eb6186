import {AtomError} from '../errors.ts'

const PREFIX = 'the signature bundle cannot be trusted: '

/** The error for a bundle or statement that is not exactly what it has to be; `why` says where. */
export function malformed(why: string, cause?: unknown): AtomError {
  return new AtomError('SIGNATURE_MALFORMED', `${PREFIX}${why}`, {
    hint: 'atomctl sign FILE   # signs it anew',
    cause,
  })
}

/** What is wrong, said alone, for what is no bundle; the message of any other error. */
export function whyMalformed(error: unknown): string {
  const {message} = error as Error
  return message.startsWith(PREFIX) ? message.slice(PREFIX.length) : message
}
