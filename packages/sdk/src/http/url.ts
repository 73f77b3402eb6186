import {AtomError} from '../errors.ts'

/**
 * A base URL as the clients join paths to it: absolute, no trailing slash (a doubled slash is a 404 on the original
 * services, protocol section 1.1). `key` is where the value comes from, for the error.
 * Throws CONFIG_INVALID; a value with credentials in it is never repeated.
 */
export function normalizeBaseUrl(text: string, key: string): string {
  const trimmed = text.trim()
  if (!/^https?:\/\//i.test(trimmed)) throw schemeMissing(trimmed, key)
  const url = URL.parse(trimmed)
  if (!url) throw new AtomError('CONFIG_INVALID', `${key} is not a URL: ${shown(trimmed)}`)
  if (url.username || url.password) {
    throw new AtomError('CONFIG_INVALID', `${key} holds a user name or password, which would end up in logs`, {
      hint: 'remove everything up to the @, and give the token with atomctl config --auth-token -',
    })
  }
  if (trimmed.includes('?') || trimmed.includes('#')) {
    throw new AtomError('CONFIG_INVALID', `${key} has a query or fragment: ${url.origin}${url.pathname}?…`, {
      hint: `write ${url.origin}${url.pathname}`,
    })
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function schemeMissing(text: string, key: string): AtomError {
  const suggestion = /^[a-z0-9.-]+(:\d+)?(\/|$)/i.test(text) ? `http://${text}` : 'http://localhost:8000'
  return new AtomError('CONFIG_INVALID', `${key} needs to start with http:// or https://, got ${shown(text)}`, {
    hint: `write ${suggestion}`,
  })
}

function shown(text: string): string {
  return text.includes('@') ? '(a value with credentials)' : JSON.stringify(text.slice(0, 200))
}

/**
 * One path segment of an id. An id that could change which endpoint is called is refused: empty, `.`, `..`, with a
 * slash, a backslash or a control character (protocol section 12.1). Throws USAGE.
 */
export function encodeSegment(id: string): string {
  if (id === '' || id === '.' || id === '..' || /[/\\\p{Cc}]/u.test(id) || !id.isWellFormed()) {
    throw new AtomError('USAGE', `Not an id: ${JSON.stringify(id.slice(0, 200))}`, {
      hint: 'ids look like restart-unhealthy-1.0.0; see atomctl list',
    })
  }
  return encodeURIComponent(id)
}
