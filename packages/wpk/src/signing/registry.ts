/** One spelling for one registry: lower-case host without the dot of the root, no default port, no trailing slash. */
export function normalizeRegistry(registry: string): string {
  const url = URL.parse(registry)
  if (!url) return registry
  url.hostname = url.hostname.replace(/\.$/, '')
  return url.href.replace(/\/+$/, '')
}
