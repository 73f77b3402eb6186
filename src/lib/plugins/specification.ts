import {existsSync, statSync} from 'node:fs'
import {resolve} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'

/** What may be installed: a package of a registry, a tarball file, or the https address of one. */
export interface Specification {
  readonly kind: 'registry' | 'file' | 'url'
  /** As npm is told it. */
  readonly text: string
}

const REGISTRY = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*(@[A-Za-z0-9.^~<>=*|+ -]+)?$/

/** @throws USAGE for git repositories, directories and whatever npm would make of the rest; INPUT_MISSING */
export function readSpecification(text: string, folder: string): Specification {
  if (/^https?:\/\//.test(text)) return {kind: 'url', text: checkUrl(text)}
  if (/\.(tgz|tar\.gz)$/.test(text)) return {kind: 'file', text: checkFile(resolve(folder, text), text)}
  if (REGISTRY.test(text)) return {kind: 'registry', text}
  const isFolder = existsSync(resolve(folder, text)) && statSync(resolve(folder, text)).isDirectory()
  throw new AtomError('USAGE', `${JSON.stringify(text)} is no package name, no tarball and no https address of one`, {
    hint: isFolder
      ? `npm pack ${text}, or for development: atomctl plugins link ${text} --trust`
      : 'atomctl plugins install NAME[@VERSION] | FILE.tgz',
  })
}

function checkUrl(text: string): string {
  const valid = URL.canParse(text) ? new URL(text) : undefined
  const loopback = valid && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(valid.hostname)
  if (valid && !valid.username && !valid.password && (valid.protocol === 'https:' || loopback)) return text
  throw new AtomError('USAGE', 'a tarball is fetched over https, from an address without credentials', {
    hint: 'a private registry takes its token from ~/.npmrc',
  })
}

function checkFile(path: string, typed: string): string {
  if (existsSync(path)) return path
  throw new AtomError('INPUT_MISSING', `${typed} does not exist`, {hint: 'check the path and the working directory'})
}
