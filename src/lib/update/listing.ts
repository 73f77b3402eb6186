import {AtomError} from '@atomctl/sdk/errors'
import semver from 'semver'

/** One file of a release. */
export interface ReleaseFile {
  readonly name: string
  /** SHA-256, hexadecimal. */
  readonly digest: string
}

/** A release as its SHA256SUMS says it (`npm run dist`). */
export interface Listing {
  readonly version: string
  readonly files: readonly ReleaseFile[]
}

/** Reads a SHA256SUMS that was verified; its version is the one npm package's. @throws PROTOCOL when it is none of ours */
export function parseListing(text: string, url: string): Listing {
  const lines = text.split('\n').filter((line) => line !== '')
  const files = lines.map((line): ReleaseFile => {
    const [, digest, name] = /^([\da-f]{64}) [ *]([\w][\w.+-]{0,199})$/.exec(line) ?? []
    if (digest === undefined || name === undefined) throw notOurs(url, 'has a line that is no checksum')
    return {name, digest}
  })
  const versions = files.flatMap(({name}) => /^atomctl-(\d.*)\.tgz$/.exec(name)?.[1] ?? [])
  const [version = ''] = versions
  if (versions.length !== 1 || semver.valid(version) !== version) throw notOurs(url, 'names no one version of atomctl')
  return {version, files}
}

function notOurs(url: string, what: string): AtomError {
  return new AtomError('PROTOCOL', `${url}/SHA256SUMS ${what}`, {hint: 'is update_url the folder of a release?'})
}

/** Whether somebody who has `running` is told of `listed`: newer, and no preview unless that is what runs. */
export function isOffered(listed: string, running: string): boolean {
  const isPreview = semver.prerelease(listed) !== null
  return semver.gt(listed, running) && (!isPreview || semver.prerelease(running) !== null)
}

/**
 * An old listing keeps its good signature: it is refused when a newer one was seen, or a newer atomctl runs.
 * @throws RELEASE_STALE
 */
export function requireCurrent({version}: Listing, running: string, seen: string | undefined): void {
  const newest = seen !== undefined && semver.gt(seen, running) ? seen : running
  if (!semver.lt(version, newest)) return
  const known = newest === running ? `${running} runs here` : `${newest} was seen before`
  throw new AtomError('RELEASE_STALE', `the signed listing is of ${version}, and ${known}`, {
    hint: 'ask whoever runs update_url; a listing that is served again must not hide a newer one',
    details: {listed: version, known: newest},
  })
}
