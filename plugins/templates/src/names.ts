import {AtomError} from '@atomctl/sdk/errors'

/** The characters of a package name (package format, metadata.name), not starting or ending with a hyphen. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$/
/** Names that Windows keeps for devices, whatever their extension. */
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/

/** Why a text cannot name a package and its file, or undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (!NAME.test(name)) return 'must be lower-case letters, digits and hyphens, at most 100'
  return RESERVED.test(name) ? 'is reserved on Windows' : undefined
}

/** @throws USAGE for a name that cannot be a package's, and so not a file's. */
export function requireName(name: string, what: string): string {
  const problem = nameProblem(name)
  if (problem === undefined) return name
  const hint = 'a name like restart-web'
  throw new AtomError('USAGE', `the name of the ${what}, ${JSON.stringify(name)}, ${problem}`, {hint})
}
