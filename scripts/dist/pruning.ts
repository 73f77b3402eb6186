// What a package ships and a program never reads. Folders only at a package's top: yaml has its code in dist/doc.
const TOP_FOLDERS = /^(?:\.github|\.vscode|bench(?:marks?)?|coverage|docs?|examples?|prebuilds|tests?|__tests__)\//i
const SOURCES = /(?:\.map|\.[cm]?tsx?|\.tsbuildinfo|\.flow|\.test\.c?js)$/
const NOTES = /\.(?:md|markdown|ya?ml|lock)$|(?:^|\/)\.[^/]+$/i
const LICENCE = /^(?:licen[cs]e|notice|copying)/i

// Extensions of PostgreSQL that the services do not load.
const DATABASE_EXTENSIONS = /^dist\/(?:contrib\/|[\w-]+\.tar\.gz$)/

// Their declarations are what the author of a plugin compiles against.
const TYPED: ReadonlySet<string> = new Set(['@atomctl/protocol', '@atomctl/sdk', '@atomctl/wpk'])
const OWN = /^(?:package\.json|oclif\.manifest\.json|lib\/.*|templates\/.*)$/

/**
 * Whether a file of a package (its path inside it, with forward slashes) goes with it to a user. Of ours, what its code
 * needs; of others, all but tests, documents, sources and source maps. Licences always stay.
 */
export function isShipped(name: string, path: string): boolean {
  if (name.startsWith('@atomctl/')) return isOwnShipped(name, path)
  if (LICENCE.test(path.split('/').at(-1) ?? '')) return true
  if (name === 'superjson' && path.startsWith('src/')) return false
  if (name === '@electric-sql/pglite' && DATABASE_EXTENSIONS.test(path)) return false
  return !TOP_FOLDERS.test(path) && !SOURCES.test(path) && !NOTES.test(path)
}

function isOwnShipped(name: string, path: string): boolean {
  if (!OWN.test(path)) return false
  if (path.startsWith('templates/')) return true
  return path.endsWith('.d.ts') ? TYPED.has(name) : !SOURCES.test(path)
}
