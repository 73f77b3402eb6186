/** One spelling for one registry: lower-case host, no default port, no trailing slash. */
export function normalizeRegistry(registry: string): string {
  return URL.canParse(registry) ? new URL(registry).href.replace(/\/+$/, '') : registry
}
