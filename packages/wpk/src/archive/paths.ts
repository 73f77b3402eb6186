import {AtomError} from '../errors.ts'

/** The member that holds the workflow document in every package archive. */
export const DOCUMENT_NAME = 'wpk.yaml'

/** ustar fields (POSIX.1-1988): name 100 bytes, prefix 155 bytes, one slash between them. */
const NAME_BYTES = 100
const PREFIX_BYTES = 155
/** Deeper trees serve no package; the bound keeps what has to be remembered about paths small. */
const MAX_SEGMENTS = 16

// Printable ASCII without what Windows forbids in names. Anything else would need PAX records, whose reading
// differs between tools, or could not be extracted everywhere.
const SEGMENT = /^[A-Za-z0-9 !#$%&'()+,\-.=@[\]^_`{}~;]+$/
const WINDOWS_RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(\.|$)/i
// whose configuration names programs that git, Mercurial and Jujutsu run below it; `git~1` is a short name on Windows
const REPOSITORY = /^(\.(git|hg|jj)|(git|hg|jj)~[0-9]+)$/i

/** Why `path` cannot be a member of a package, or undefined when it can. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (path.startsWith('/')) return 'is absolute'
  if (path.includes('\\')) return 'contains a backslash'
  const segments = path.split('/')
  const problem = segments.map(segmentProblem).find(Boolean)
  if (problem) return problem
  if (segments.length > MAX_SEGMENTS) return `is nested more than ${MAX_SEGMENTS} levels deep`
  return isEncodable(path) ? undefined : `is too long (${NAME_BYTES} characters per name, 255 in all)`
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '') return 'has an empty segment'
  if (segment === '.' || segment === '..') return `has a "${segment}" segment`
  if (!SEGMENT.test(segment)) return 'contains a character that is not portable'
  if (/[. ]$/.test(segment)) return 'has a segment that ends in a dot or space'
  if (WINDOWS_RESERVED.test(segment)) return 'uses a name that Windows reserves'
  if (REPOSITORY.test(segment)) return 'is a repository of git, Mercurial or Jujutsu'
  return undefined
}

/** Whether the ustar name and prefix fields can hold the path, split at a slash as tar-stream does it. */
function isEncodable(path: string): boolean {
  const segments = path.split('/')
  let prefix = ''
  while (segments.join('/').length > NAME_BYTES && segments.length > 1) {
    const segment = segments.shift() ?? ''
    prefix = prefix ? `${prefix}/${segment}` : segment
  }
  return segments.join('/').length <= NAME_BYTES && prefix.length <= PREFIX_BYTES
}

/** Throws ARCHIVE_INVALID for a path that is unsafe or cannot exist on every platform. */
export function checkPath(path: string): string {
  const problem = pathProblem(path)
  if (problem === undefined) return path
  throw new AtomError('ARCHIVE_INVALID', `${JSON.stringify(path)} ${problem}`, {
    hint: 'rename it: relative path, ASCII letters, digits and - _ . only',
    details: {path},
  })
}

/** Byte order of two member paths; the order of members in a canonical archive. */
export function comparePaths(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** The paths of one archive, refusing two that some file system would store in one place. */
export class PathSet {
  /** Folded path → exact spelling and kind. */
  readonly #seen = new Map<string, {path: string; directory: boolean}>()

  /** Throws ARCHIVE_INVALID when the path, or a directory on its way, collides with an earlier one. */
  add(path: string): void {
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth++) this.#claim(parts.slice(0, depth).join('/'), true)
    this.#claim(path, false)
  }

  #claim(path: string, directory: boolean): void {
    const folded = path.toLowerCase()
    const other = this.#seen.get(folded)
    if (other && !(directory && other.directory && other.path === path)) {
      const message = `${JSON.stringify(path)} collides with ${JSON.stringify(other.path)}`
      throw new AtomError('ARCHIVE_INVALID', message, {hint: 'rename one of the two', details: {path}})
    }
    this.#seen.set(folded, {path, directory})
  }
}
