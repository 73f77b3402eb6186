import {AtomError} from '@atomctl/sdk/errors'

/** @throws USAGE */
export function readFilter(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'i')
  } catch {
    throw new AtomError('USAGE', `--grep ${JSON.stringify(pattern)} is not a regular expression`)
  }
}
