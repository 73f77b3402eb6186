/** Names and networks that stay inside: loopback, RFC 1918, cluster-local and reserved private names. */
const INTERNAL_SUFFIX = /(?:^|\.)(?:localhost|local|internal|svc|lan|intranet|home\.arpa|test)$/i

/** True when a literal host is somewhere on the internet. A single word is a service of the cluster. */
export function isExternalHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  if (name === '' || name === '::1' || (name.startsWith('fd') && name.includes(':'))) return false
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) return !isPrivateAddress(name.split('.').map(Number))
  if (name.includes(':')) return true
  return name.includes('.') && !INTERNAL_SUFFIX.test(name)
}

/** Link-local is left out on purpose: 169.254.169.254 hands out cloud credentials. */
function isPrivateAddress([first, second]: number[]): boolean {
  if (first === 10 || first === 127 || first === 0) return true
  return (first === 172 && second! >= 16 && second! <= 31) || (first === 192 && second === 168)
}

/** The host of `http://user@host:port/…`, of `host/path` and of `host:port`; placeholders are kept as written. */
export function hostOf(target: string): string {
  const rest = target.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
  const authority = rest.split(/[/?#]/)[0]!.replace(/^.*@/, '')
  return authority.startsWith('[') ? authority.slice(0, authority.indexOf(']') + 1) : authority.replace(/:\d*$/, '')
}
