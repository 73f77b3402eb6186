import {AtomError} from '@atomctl/sdk/errors'
import {parseWorkflowId} from '@atomctl/sdk/packages'
import {nameProblem} from './names.ts'

/** What a person can name a template by. */
export type TemplateReference =
  | {readonly kind: 'name'; readonly name: string}
  | {readonly kind: 'path'; readonly path: string}
  | {readonly kind: 'registry'; readonly id: string}
  | GitReference

/** `URL`, `URL#REF`, `URL#REF:PATH` or `URL#:PATH`. */
export interface GitReference {
  readonly kind: 'git'
  readonly url: string
  readonly ref?: string
  /** Directory or file in the repository. */
  readonly path?: string
}

const GIT_SCHEMES = new Set(['https:', 'ssh:', 'file:'])
const REF = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/

/**
 * Tells names, paths, registry ids and git URLs apart. Whatever could make git run a command is refused here, before
 * git sees it: other transports (`ext::`), options, hosts that look like options.
 * @throws USAGE
 */
export function parseReference(text: string): TemplateReference {
  if (text.includes('://') || text.includes('::')) return parseGitReference(text)
  if (/^[^/\\]+@[^/\\]+:/.test(text)) {
    throw refused(text, 'is no URL', `ssh://${text.replace(':', '/')}`)
  }
  if (nameProblem(text) === undefined) return {kind: 'name', name: text}
  if (parseWorkflowId(text)) return {kind: 'registry', id: text}
  if (/[/\\]/.test(text) || /^\.|\.(ya?ml|tgz|tar\.gz)$/.test(text)) return {kind: 'path', path: text}
  throw refused(text, 'is no name, path, git URL or workflow ID', 'atomctl templates list')
}

function parseGitReference(text: string): GitReference {
  const [address, fragment] = splitOnce(text, '#')
  const url = /^[\u0021-\u007e]+$/.test(address) ? URL.parse(address) : undefined
  if (!url || !GIT_SCHEMES.has(url.protocol)) {
    throw refused(address, 'is no URL that templates are fetched from', 'an https://, ssh:// or file:/// URL')
  }
  if (url.password !== '') {
    throw new AtomError('USAGE', 'a template URL with a password would be kept and shown', {
      hint: 'leave it out; git asks its credential helper',
    })
  }
  if (url.hostname.startsWith('-') || decodeURIComponent(url.username).startsWith('-')) {
    throw refused(address, 'has a host that looks like an option', 'an https://, ssh:// or file:/// URL')
  }
  return {kind: 'git', url: address, ...parseFragment(fragment)}
}

function parseFragment(fragment: string | undefined): {ref?: string; path?: string} {
  if (fragment === undefined) return {}
  const [ref, path] = splitOnce(fragment, ':')
  if (ref !== '' && (!REF.test(ref) || ref.includes('..'))) throw refused(ref, 'is no branch or tag', 'URL#v1.2.0')
  if (path !== undefined && !isInside(path)) throw refused(path, 'is no path inside the repository', 'URL#:runbooks/a')
  return {...(ref === '' ? {} : {ref}), ...(path === undefined ? {} : {path})}
}

function isInside(path: string): boolean {
  return (
    path !== '' && !/^[/\\]|\\|^[A-Za-z]:/.test(path) && !path.split('/').some((part) => /^(\.\.?|\.git)?$/i.test(part))
  )
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function refused(text: string, why: string, hint: string): AtomError {
  return new AtomError('USAGE', `${JSON.stringify(text)} ${why}`, {hint})
}
