import {AtomError} from '../errors.ts'
import type {Outgoing} from './exchange.ts'
import {clean} from './rejection.ts'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 3

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status)
}

/**
 * Where a redirect leads, if it may be followed: a GET, within the origin, at most three times. A POST would be sent
 * twice, and another origin has no business with the token or the request. Throws ENDPOINT_NOT_FOUND.
 */
export function followedTo(location: string | undefined, from: Outgoing, redirectsSoFar: number): URL {
  const to = location === undefined ? null : URL.parse(location, from.url.href)
  if (!to) throw refused(from, 'redirects to nowhere')
  if (to.origin !== from.url.origin) throw refused(from, `redirects to ${to.origin}`, to)
  if (from.method !== 'GET') throw refused(from, `redirects a ${from.method} to ${clean(to.pathname)}`)
  if (redirectsSoFar >= MOST_REDIRECTS) throw refused(from, 'redirects in circles')
  return to
}

// Only the origin of another place is named: login pages put secrets into the rest.
function refused({url, service}: Outgoing, what: string, to?: URL): AtomError {
  const known = service === 'registry' || service === 'runtime'
  const hint =
    to && known && /^https?:$/.test(to.protocol)
      ? `if that is the ${service}: atomctl config set ${service}_url ${to.origin}`
      : `is ${url.origin} the ${service}? atomctl doctor tells`
  return new AtomError('ENDPOINT_NOT_FOUND', `The ${service} at ${url.origin} ${what}`, {
    hint,
    details: {origin: url.origin},
  })
}
