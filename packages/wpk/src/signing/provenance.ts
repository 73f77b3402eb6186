import {malformed} from './malformed.ts'
import {readFields, readText} from './shape.ts'

/**
 * Where a package was built, by whom and from what, as its signer states it: part of the signed predicate, so nobody
 * else can change it. It is worth as much as the signer's word.
 */
export interface Provenance {
  /** `github-actions`, `gitlab-ci`, …; `local` outside any CI. */
  readonly builder: string
  /** Who started the build: the CI's login, or git's user.email. */
  readonly actor?: string
  /** ISO 8601. */
  readonly builtAt: string
  readonly source?: ProvenanceSource
  readonly run?: ProvenanceRun
}

export interface ProvenanceSource {
  /** URL of the repository, without credentials. */
  readonly repository?: string
  /** Of git, in hex. */
  readonly commit: string
  /** Whether a file of the package differed from that commit. */
  readonly dirty: boolean
}

export interface ProvenanceRun {
  readonly id: string
  readonly url?: string
}

const MAX_CHARACTERS = 2048

/** Reads the statement's `provenance`. Throws SIGNATURE_MALFORMED for anything that `Provenance` does not describe. */
export function readProvenance(value: unknown): Provenance {
  const where = 'predicate.provenance'
  const {builder, actor, builtAt, source, run} = readFields(value, where, [
    'builder',
    'actor',
    'builtAt',
    'source',
    'run',
  ])
  return {
    builder: readLine(builder, `${where}.builder`),
    builtAt: readTime(builtAt, `${where}.builtAt`),
    ...(actor === undefined ? {} : {actor: readLine(actor, `${where}.actor`)}),
    ...(source === undefined ? {} : {source: readSource(source, `${where}.source`)}),
    ...(run === undefined ? {} : {run: readRun(run, `${where}.run`)}),
  }
}

function readSource(value: unknown, where: string): ProvenanceSource {
  const {repository, commit, dirty} = readFields(value, where, ['repository', 'commit', 'dirty'])
  const hex = readLine(commit, `${where}.commit`)
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hex)) throw malformed(`${where}.commit: not a commit of git`)
  if (typeof dirty !== 'boolean') throw malformed(`${where}.dirty: not true or false`)
  return {
    commit: hex,
    dirty,
    ...(repository === undefined ? {} : {repository: readUrl(repository, `${where}.repository`)}),
  }
}

function readRun(value: unknown, where: string): ProvenanceRun {
  const {id, url} = readFields(value, where, ['id', 'url'])
  return {id: readLine(id, `${where}.id`), ...(url === undefined ? {} : {url: readUrl(url, `${where}.url`)})}
}

/** Text without control characters: it is shown to people. */
function readLine(value: unknown, where: string): string {
  const text = readText(value, where)
  if (text.length > MAX_CHARACTERS) throw malformed(`${where}: ${text.length} characters are too many`)
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)) throw malformed(`${where}: has control characters`)
  return text
}

/** A URL without credentials: a package is published. */
function readUrl(value: unknown, where: string): string {
  const text = readLine(value, where)
  const url = URL.parse(text)
  if (!url || !/^(https?|ssh|git):$/.test(url.protocol)) throw malformed(`${where}: not a URL`)
  if (url.username || url.password) throw malformed(`${where}: has credentials`)
  return text
}

function readTime(value: unknown, where: string): string {
  const text = readLine(value, where)
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw malformed(`${where}: not a time in UTC`)
  }
  return text
}
